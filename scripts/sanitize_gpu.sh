#!/usr/bin/env bash
# Do the kernels touch memory as they should, on the hardware? Launches each once on the GPU under each tool of
# compute-sanitizer: memcheck (out of bounds, misaligned), racecheck (races in shared memory), initcheck (reads of
# global memory that nobody wrote) and synccheck (barriers that not all threads reach). Prints a table of the reports
# and exits with 1 if there is any.
#
#   scripts/sanitize_gpu.sh [--tools=memcheck,racecheck,initcheck,synccheck] [--seqlen=384] [--dtype=fp16,bf16]
#                           [--json=FILE] [KERNEL…]
#
# KERNEL is a name as ./runner --list shows it, and further options of its problem may follow in the same word
# ("v02_causal --causal"); the sixteen by default. A launch has one sequence of 16 heads, a number that every step covers.
# RUNNER and COMPUTE_SANITIZER name other binaries than build/runner and compute-sanitizer.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/kernel_words.sh
source "$root/scripts/kernel_words.sh"
runner=${RUNNER:-$root/build/runner}
PATH=$PATH:/usr/local/cuda/bin
sanitizer=${COMPUTE_SANITIZER:-compute-sanitizer}

tools=memcheck,racecheck,initcheck,synccheck
seqlens=384
dtypes=fp16,bf16
json=
kernels=()
command=(scripts/sanitize_gpu.sh "$@")
for argument; do
  case $argument in
    --tools=*) tools=${argument#*=} ;;
    --seqlen=*) seqlens=${argument#*=} ;;
    --dtype=*) dtypes=${argument#*=} ;;
    --json=*) json=${argument#*=} ;;
    -*)
      echo "sanitize_gpu.sh: unknown option '$argument': --tools, --seqlen, --dtype and --json are what there is." >&2
      exit 2
      ;;
    *) kernels+=("$argument") ;;
  esac
done
if [[ -n $json && ! -w $(dirname "$json") ]]; then
  echo "sanitize_gpu.sh: --json=$json cannot be written; a file in a folder that exists and is writable would work." >&2
  exit 2
fi
require_runner
if ! command -v "$sanitizer" >/dev/null; then
  echo "sanitize_gpu.sh: there is no '$sanitizer': it comes with the CUDA Toolkit; COMPUTE_SANITIZER names another." >&2
  exit 3
fi
if ((${#kernels[@]} == 0)); then mapfile -t kernels < <(names_of_all); fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The reports that a tool counted, racecheck's warnings included, from its log; nothing if it did not get to its end.
reports_of() {
  awk '
    /ERROR SUMMARY: [0-9]+ error/ || /RACECHECK SUMMARY: [0-9]+ hazard/ {
      sub(/.*SUMMARY: /, "")
      if (count == "" || $1 > count) count = $1
    }
    END { if (count != "") print count }' "$1"
}

read -ra tool_list <<<"${tools//,/ }"
printf '%-22s %-5s %7s' kernel dtype seqlen
printf ' %10s' "${tool_list[@]}"
printf '\n'
results=()
reports=0
for word in "${kernels[@]}"; do
  split_word "$word"
  for dtype in ${dtypes//,/ }; do
    for seqlen in ${seqlens//,/ }; do
      printf '%-22s %-5s %7s' "$kernel" "$dtype" "$seqlen"
      for tool in "${tool_list[@]}"; do
        "$sanitizer" --tool "$tool" "$runner" --device=gpu --profile --kernel="$kernel" \
          --dtype="$dtype" --seqlen="$seqlen" --batch=1 --heads=16 ${options[@]+"${options[@]}"} \
          >"$work/log" 2>&1 && exit_code=0 || exit_code=$?
        count=$(reports_of "$work/log")
        # A launch that did not happen has no reports either.
        if [[ -z $count ]] || ! grep -q "^launched $kernel " "$work/log" && ((count == 0)); then
          printf '\n'
          cat "$work/log" >&2
          echo "sanitize_gpu.sh: $tool could not run $kernel (exit code $exit_code)." >&2
          exit 3
        fi
        printf ' %10s' "$count"
        if ((count > 0)); then
          reports=$((reports + count))
          cat "$work/log" >>"$work/reports"
        fi
        results+=("{\"kernel\": \"$kernel\",${described:+ \"options\": \"$described\",} \"dtype\": \"$dtype\", \"seqlen\": $seqlen, \"tool\": \"$tool\",\
 \"reports\": $count}")
      done
      printf '\n'
    done
  done
done

if [[ -s $work/reports ]]; then cat "$work/reports" >&2; fi
if [[ -n $json ]]; then
  split_word "${kernels[0]}"
  device=$("$runner" --device=gpu --check-only --kernel="$kernel" --seqlen="${seqlens%%,*}" --batch=1 --heads=16 \
    ${options[@]+"${options[@]}"} |
    awk -F: 'NR == 1 { print $1 }')
  version=$("$sanitizer" --version | awk '/^Version/ { print $2 }')
  printf '%s\n' "${results[@]}" | "$root/scripts/results_json.py" "$runner" "$json" \
    schema='"flash-steps/gpu-sanitizers/1"' device="\"$device\"" sanitizer="\"compute-sanitizer $version\"" runs \
    -- "${command[@]}"
fi
echo "${#results[@]} launches, $reports reports"
((reports == 0))
