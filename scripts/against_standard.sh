#!/usr/bin/env bash
# The two graphs of FlashAttention's first release, again: how much faster than standard attention, forward and backward,
# and in how much less memory. Batch 8, 12 heads of 64 elements, fp16, in three series: dropout 0.1 and padding of up to 20
# keys, padding, neither. docs/variants/against_standard.md shows the figures. Needs a GPU.
#
#   scripts/against_standard.sh OUT_DIR [OPTION …]
#
# Writes OUT_DIR/SERIES_PASS.json of lengths up to 4096, beside the baselines, and OUT_DIR/SERIES_PASS_long.json of those
# up to 65536 without; a series that no kernel covers is left out, and said. OPTIONs are given to each call of ./runner.
#
# RUNNER       the program, by default ./runner of the source folder
# BASELINES    what is timed beside the kernels, by default pytorch,standard,fa2
# LONG         the lengths without baselines, by default 8192,16384,32768,65536; none if empty
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
runner=${RUNNER:-$root/runner}
baselines=${BASELINES:-pytorch,standard,fa2}
short=128,256,512,1024,2048,4096
long=${LONG-8192,16384,32768,65536}

refuse() {
  echo "against_standard.sh: $1" >&2
  exit 2
}
(($# >= 1)) || refuse "a folder is needed: against_standard.sh docs/results/variants/against_standard would work"
[[ $1 != -* ]] || refuse "'$1' is no folder, which comes before options"
out=$1
shift
mkdir -p "$out"

declare -A options=([dropout]="--dropout=0.1 --padding=20" [padding]="--padding=20" [neither]="")
# A forward pass that a backward one follows stores the logarithms of the row sums, which these two do.
declare -A kernels=([forward]="v06,v07" [backward]="variants")
made=0
worst=0

# measure NAME SERIES PASS OPTION…: one call of the runner. 2 says that no kernel covers the problem, or that an option is
# none: both leave no file.
measure() {
  local name=$1 series=$2 pass=$3 rc=0
  shift 3
  echo "== $name"
  # shellcheck disable=SC2086  # options are words
  "$runner" --device=gpu --kernel="${kernels[$pass]}" --pass="$pass" --batch=8 --heads=12 --head-dim=64 --dtype=fp16 \
    ${options[$series]} "$@" --json="$out/$name.json" || rc=$?
  case $rc in
    0) made=$((made + 1)) ;;
    2) echo "against_standard.sh: $name is left out, for the reason above" >&2 ;;
    *) if ((rc > worst)); then worst=$rc; fi ;;
  esac
}

for series in dropout padding neither; do
  for pass in forward backward; do
    measure "${series}_$pass" "$series" "$pass" --seqlen="$short" --baseline="$baselines" "$@"
    if [[ -n $long ]]; then measure "${series}_${pass}_long" "$series" "$pass" --seqlen="$long" "$@"; fi
  done
done
if ((worst > 0)); then exit "$worst"; fi
((made > 0)) || refuse "no kernel covers any of the problems, or an option is none"
echo "scripts/plot.py $out/*_*ward*.json --out=DIR draws them"
