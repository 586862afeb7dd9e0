#!/usr/bin/env bash
# Are the emulator's counters the hardware's? Runs kernels once on the GPU under Nsight Compute (ncu) and once on the
# emulator, and prints each counter from both. Exits with 1 if any differs.
#
#   scripts/compare_counters.sh [--seqlen=128,512] [--dtype=fp16,bf16] [--json=FILE] [KERNEL…]
#
# KERNEL is what ./runner --kernel takes, and further options of its problem may follow in the same word ("v02 --causal");
# the sixteen by default. A launch has one head unless a --heads says otherwise. RUNNER and NCU name other binaries than
# build/runner and ncu.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/kernel_words.sh
source "$root/scripts/kernel_words.sh"
runner=${RUNNER:-$root/build/runner}
ncu=${NCU:-ncu}

seqlens=128,512
dtypes=fp16,bf16
json=
kernels=()
command=(scripts/compare_counters.sh "$@")
for argument; do
  case $argument in
    --seqlen=*) seqlens=${argument#*=} ;;
    --dtype=*) dtypes=${argument#*=} ;;
    --json=*) json=${argument#*=} ;;
    -*)
      echo "compare_counters.sh: unknown option '$argument': --seqlen, --dtype and --json are what there is." >&2
      exit 2
      ;;
    *) kernels+=("$argument") ;;
  esac
done
require_runner
require_ncu

# The emulator's counters, sums joined with +, and the metric that each must equal.
pairs=(
  'ldmatrix.instructions smsp__sass_inst_executed_op_ldsm.sum'
  'ldmatrix.wavefronts smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_ldsm.sum'
  'ldmatrix.bank_conflicts smsp__sass_l1tex_data_bank_conflicts_pipe_lsu_mem_shared_op_ldsm.sum'
  'cp_async.instructions smsp__inst_executed_op_ldgsts.sum'
  'cp_async.wavefronts smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_ldgsts.sum'
  'shared_load.wavefronts smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_ld.sum'
  'shared_store.wavefronts smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_st.sum'
  'ldmatrix.wavefronts+cp_async.wavefronts+shared_load.wavefronts+shared_store.wavefronts memory_l1_wavefronts_shared'
  'ldmatrix.ideal_wavefronts+cp_async.ideal_wavefronts+shared_load.ideal_wavefronts+shared_store.ideal_wavefronts
   memory_l1_wavefronts_shared_ideal'
  'global_load.sectors+cp_async.sectors l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum'
  'global_store.sectors l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum'
  'mma.instructions sm__inst_executed_pipe_tensor_op_hmma.sum'
)
# Of kernels that add to global memory.
reduction_pairs=(
  'reduction_instructions smsp__inst_executed_op_global_red.sum'
  'reduction_sectors l1tex__t_sectors_pipe_lsu_mem_global_op_red.sum'
)
metrics=
for pair in "${pairs[@]}" "${reduction_pairs[@]}"; do
  read -r -d '' _ metric <<<"$pair" || true
  metrics+=${metrics:+,}$metric
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# NAME VALUE for each counter of the results file on standard input.
emulator_counters() {
  python3 -c '
import json, sys
for access, counts in json.load(sys.stdin)["runs"][0]["counters"].items():
    if not isinstance(counts, dict):
        print(access, counts)
        continue
    for name, count in counts.items():
        print(f"{access}.{name}", count)'
}

# The functions that the kernel of the results file on standard input launches, a line each.
launched_functions() {
  python3 -c '
import json, sys
for launch in json.load(sys.stdin)["runs"][0].get("launches", [{"function": "attention"}]):
    print(launch["function"])'
}

# NAME VALUE for each metric in the CSV log of ncu on standard input, the sum of so many launches.
hardware_counters() {
  awk -v expected="$1" '
    # A row: quoted fields with commas between. Numbers may have commas inside.
    function split_row(row, fields,    n) {
      n = 0
      while (match(row, /^"[^"]*",?/)) {
        fields[++n] = substr(row, 2, RLENGTH - 2)
        sub(/",?$/, "", fields[n]); sub(/"$/, "", fields[n])
        row = substr(row, RSTART + RLENGTH)
      }
      return n
    }
    /^"ID"/ { columns = split_row($0, names); next }
    /^"[0-9]+"/ && columns {
      launches++
      split_row($0, values)
      for (i = 1; i <= columns; i++) {
        value = values[i]
        gsub(/,/, "", value)
        if (names[i] ~ /__|^memory_l1/ && value ~ /^[0-9.]+$/) sum[names[i]] += value
      }
    }
    END {
      if (launches != expected) { print launches + 0 > "/dev/stderr"; exit 1 }
      for (name in sum) printf "%s %.0f\n", name, sum[name]
    }'
}

value_of() {  # value_of FILE NAME[+NAME…]: the sum
  awk -v names="$2" '
    BEGIN { n = split(names, wanted, "+") }
    { value[$1] = $2 }
    END { for (i = 1; i <= n; i++) if (wanted[i] in value) { sum += value[wanted[i]]; found++ }
          if (found == n) printf "%.0f\n", sum; else print "missing" }' "$1"
}

if ((${#kernels[@]} == 0)); then mapfile -t kernels < <(names_of_all); fi

results=()
differences=0
for word in "${kernels[@]}"; do
  split_word "$word"
  [[ $word == *--heads=* ]] || options+=(--heads=1)
  for dtype in ${dtypes//,/ }; do
    for seqlen in ${seqlens//,/ }; do
      problem=(--kernel="$kernel" --dtype="$dtype" --seqlen="$seqlen" --batch=1 "${options[@]}")
      echo "$kernel, $dtype, seqlen $seqlen${described:+, $described}"
      "$runner" --device=emulator --json="$work/emulator.json" "${problem[@]}" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 3; }
      emulator_counters <"$work/emulator.json" >"$work/emulator"
      mapfile -t functions < <(launched_functions <"$work/emulator.json")
      names=$(IFS='|' && echo "${functions[*]}")
      if ! "$ncu" --clock-control none --csv --page raw --print-units base --kernel-name "regex:^($names)\$" \
        --metrics "$metrics" --log-file "$work/ncu.csv" "$runner" --device=gpu --profile "${problem[@]}" \
        >"$work/log" 2>&1; then
        cat "$work/log" "$work/ncu.csv" >&2 || true
        echo "compare_counters.sh: ncu could not profile $kernel." >&2
        exit 3
      fi
      if ! hardware_counters "${#functions[@]}" <"$work/ncu.csv" >"$work/hardware" 2>"$work/log"; then
        echo "compare_counters.sh: ncu saw $(<"$work/log") launches of $kernel where ${#functions[@]} were expected." >&2
        exit 3
      fi

      printf '  %-78s %12s %12s\n' metric emulator hardware
      compared=("${pairs[@]}")
      if grep -q '^reduction_' "$work/emulator"; then compared+=("${reduction_pairs[@]}"); fi
      for pair in "${compared[@]}"; do
        read -r -d '' names metric <<<"$pair" || true
        emulator=$(value_of "$work/emulator" "$names")
        hardware=$(value_of "$work/hardware" "$metric")
        verdict=equal
        if [[ $emulator != "$hardware" || $emulator == missing ]]; then
          verdict=DIFFERENT
          differences=$((differences + 1))
        fi
        printf '  %-78s %12s %12s  %s\n' "$metric" "$emulator" "$hardware" "$verdict"
        results+=("{\"kernel\": \"$kernel\",${described:+ \"options\": \"$described\",} \"dtype\": \"$dtype\", \"seqlen\": $seqlen,\
 \"counter\": \"$names\",\
 \"metric\": \"$metric\", \"emulator\": ${emulator/missing/null}, \"hardware\": ${hardware/missing/null}}")
      done
    done
  done
done

if [[ -n $json ]]; then
  printf '%s\n' "${results[@]}" | "$root/scripts/results_json.py" "$runner" "$json" \
    schema='"flash-steps/counter-comparison/1"' comparisons -- "${command[@]}"
fi
echo "${#results[@]} comparisons, $differences different"
((differences == 0))
