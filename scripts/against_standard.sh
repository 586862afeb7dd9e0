#!/usr/bin/env bash
# The two graphs of FlashAttention's first release, again: how much faster than standard attention, forward and backward,
# and in how much less memory. Batch 8, 12 heads of 64 elements, fp16, in three series: dropout 0.1 and padding of up to 20
# keys, padding, neither. docs/variants/against_standard.md shows the figures. Needs a GPU.
#
#   scripts/against_standard.sh OUT_DIR [OPTION …]
#
# Writes OUT_DIR/SERIES_PASS.json of lengths at which all of it has room on a GPU of 80 GB, OUT_DIR/SERIES_PASS_middle.json
# of longer ones beside `standard`, as far as its memory suffices, and OUT_DIR/SERIES_PASS_long.json of the kernels alone.
# A series of which no kernel covers a pass is left out, and said. OPTIONs are given to each call of ./runner.
#
# RUNNER               the program, by default ./runner of the source folder
# BASELINES            what is timed beside the kernels at the short lengths, by default pytorch,standard
# SHORT, MIDDLE, LONG  the lengths, by default 128,256,512,1024,2048,4096 and 8192,16384 and 32768,65536; none if empty.
#                      The references of LONG take minutes
# SERIES               some of them, by default dropout,padding,neither
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
runner=${RUNNER:-$root/runner}
baselines=${BASELINES:-pytorch,standard}
short=${SHORT-128,256,512,1024,2048,4096}
middle=${MIDDLE-8192,16384}
long=${LONG-32768,65536}

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

# measure SERIES PASS SUFFIX OPTION…: one call of the runner. Fails where that ends with 2: no kernel covers the problem, or
# an option is none, and there is no file.
measure() {
  local series=$1 pass=$2 name=$1_$2$3 rc=0
  shift 3
  echo "== $name"
  # shellcheck disable=SC2086  # options are words
  "$runner" --device=gpu --kernel="${kernels[$pass]}" --pass="$pass" --batch=8 --heads=12 --head-dim=64 --dtype=fp16 \
    ${options[$series]} "$@" --json="$out/$name.json" || rc=$?
  case $rc in
    0) made=$((made + 1)) ;;
    2)
      echo "against_standard.sh: $name is left out, for the reason above" >&2
      return 1
      ;;
    *) if ((rc > worst)); then worst=$rc; fi ;;
  esac
}

# The backward pass first: fewer kernels have one, and without it the forward one is half of a training step.
IFS=, read -ra chosen <<<"${SERIES:-dropout,padding,neither}"
for series in "${chosen[@]}"; do
  [[ -v options[$series] ]] || refuse "SERIES=$series is none: dropout, padding and neither are what there is"
  for pass in backward forward; do
    if [[ -n $short ]]; then
      measure "$series" "$pass" "" --seqlen="$short" --baseline="$baselines" "$@" || continue 2
    fi
    if [[ -n $middle ]]; then
      measure "$series" "$pass" _middle --seqlen="$middle" --baseline=standard "$@" || continue 2
    fi
    if [[ -n $long ]]; then measure "$series" "$pass" _long --seqlen="$long" "$@" || continue 2; fi
  done
done
if ((worst > 0)); then exit "$worst"; fi
((made > 0)) || refuse "no kernel covers any of the problems, or an option is none"
echo "scripts/plot.py $out/*_*ward*.json --out=DIR draws them"
