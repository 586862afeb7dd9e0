#!/usr/bin/env bash
# Does a GPU rescale as often as the emulator says? Runs the kernels that vote (17 on) once on the emulator, which
# counts the votes that were won, and once on the GPU under Nsight Compute (ncu), which counts multiplications: those
# that one distribution of inputs has more than `normal`, with which no vote is won, are the rescales'. If the GPU won
# as many votes as the emulator, they are the same whole number for each vote, whatever the inputs. Exits with 1 if not.
#
#   scripts/compare_votes.sh [--json=FILE] [KERNEL…]
#
# KERNEL is what ./runner --kernel takes, and further options may follow in the same word
# ("17 --config=128x64_q2k2v2c1_h1_t8"); 17, 18 and 27 by default. RUNNER and NCU name other binaries than build/runner
# and ncu.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/kernel_words.sh
source "$root/scripts/kernel_words.sh"
runner=${RUNNER:-$root/build/runner}
ncu=${NCU:-ncu}

metric=smsp__sass_thread_inst_executed_op_fmul_pred_on.sum
inputs=(normal large onehot creeping)
json=
kernels=()
command=(scripts/compare_votes.sh "$@")
for argument; do
  case $argument in
    --json=*) json=${argument#*=} ;;
    -*)
      echo "compare_votes.sh: unknown option '$argument': --json is what there is." >&2
      exit 2
      ;;
    *) kernels+=("$argument") ;;
  esac
done
require_runner
require_ncu
if ((${#kernels[@]} == 0)); then
  kernels=("17 --config=128x64_q2k2v2c1_h1_t8" "18 --config=128x64_q2k2v2c1_h1_t8" 27)
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# votes_of OPTION…: "votes won config name" of a run on the emulator
votes_of() {
  "$runner" --device=emulator --json="$work/emulator.json" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 3; }
  python3 -c '
import json, sys
run = json.load(open(sys.argv[1]))["runs"][0]
print(run["counters"]["vote_instructions"], run["counters"].get("votes_won", 0), run["config"], run["kernel"])' \
    "$work/emulator.json"
}

# multiplications_of OPTION…: of all lanes, in a run on the GPU
multiplications_of() {
  if ! "$ncu" --clock-control none --csv --page raw --print-units base --kernel-name regex:^attention --metrics "$metric" \
    --log-file "$work/ncu.csv" "$runner" --device=gpu --profile "$@" >"$work/log" 2>&1; then
    cat "$work/log" "$work/ncu.csv" >&2 || true
    echo "compare_votes.sh: ncu could not profile the run with $*." >&2
    exit 3
  fi
  tail -n 1 "$work/ncu.csv" | python3 -c '
import csv, sys
print(int(next(csv.reader(sys.stdin))[-1].replace(",", "")))'
}

results=()
different=0
printf '%-18s %-10s %8s %8s %16s %24s\n' kernel inputs votes won multiplications "of lanes, for each won"
for word in "${kernels[@]}"; do
  split_word "$word"
  each=
  for distribution in "${inputs[@]}"; do
    problem=(--kernel="$kernel" --dtype=fp16 --seqlen=512 --batch=1 --heads=1 --inputs="$distribution" "${options[@]}")
    counted=$(votes_of "${problem[@]}")
    read -r votes won config name <<<"$counted"
    multiplications=$(multiplications_of "${problem[@]}")
    more=null
    if [[ $distribution == normal ]]; then
      least=$multiplications
      if ((won != 0)); then different=$((different + 1)); fi
    else
      if ((won != 0)); then more=$(((multiplications - least) / won)); fi
      if ((won == 0 || more == 0 || more * won != multiplications - least)) || [[ -n $each && $each != "$more" ]]; then
        different=$((different + 1))
      fi
      each=$more
    fi
    printf '%-18s %-10s %8d %8d %16d %24s\n' "$name" "$distribution" "$votes" "$won" "$multiplications" "$more"
    results+=("{\"kernel\": \"$name\", \"config\": \"$config\", \"dtype\": \"fp16\", \"seqlen\": 512,\
 \"inputs\": \"$distribution\", \"votes\": $votes, \"votes_won\": $won, \"metric\": \"$metric\",\
 \"hardware\": $multiplications, \"hardware_for_each_won\": $more}")
  done
done

if [[ -n $json ]]; then
  printf '%s\n' "${results[@]}" | "$root/scripts/results_json.py" "$runner" "$json" \
    schema='"flash-steps/vote-comparison/1"' votes -- "${command[@]}"
fi
echo "${#results[@]} runs, $different that do not fit"
((different == 0))
