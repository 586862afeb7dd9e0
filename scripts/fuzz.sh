#!/usr/bin/env bash
# Fuzzes what reads the outside world: the command line and the results files. Builds both fuzzers with clang into
# build/fuzz and runs them beside each other; what they learn is kept in build/fuzz/corpus for the next time. Exits with 1,
# and leaves the input in build/fuzz/findings, if one crashes, hangs or throws what it should not.
#
#   scripts/fuzz.sh [SECONDS]     of each fuzzer; 60 by default
#
# The seeds and the words that inputs are made of lie in tests/fuzz. A finding is run again with
#   build/fuzz/tests/fuzz/results_fuzz FILE
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
seconds=${1:-60}
if (($# > 1)) || [[ ! $seconds =~ ^[1-9][0-9]{0,5}$ ]]; then
  echo "fuzz.sh: '$*' is not a number of seconds; 60 would work." >&2
  exit 2
fi
cd "$root"
scripts/setup.sh --fuzz

build=build/fuzz
log=$build/build.log
mkdir -p $build/findings
if ! { cmake --preset fuzz && cmake --build --preset fuzz --parallel "$(nproc)" \
  --target command_line_fuzz results_fuzz; } >$log 2>&1; then
  cat $log >&2
  echo "fuzz.sh: the build failed (the output above is in $log)." >&2
  exit 3
fi

fuzz() {  # fuzz NAME
  local corpus=$build/corpus/$1 log=$build/$1.log
  mkdir -p "$corpus"
  if $build/tests/fuzz/"$1"_fuzz "$corpus" tests/fuzz/corpus/"$1" -dict=tests/fuzz/"$1".dict \
    -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix=$build/findings/"$1"_ >"$log" 2>&1; then
    awk -v name="$1" '
      /stat::number_of_executed_units/ { executions = $2 }
      / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") branches = $(i + 1) }
      END { print name ": " executions " executions, " branches " branches seen, nothing found" }' "$log"
  else
    cat "$log" >&2
    echo "fuzz.sh: $1: found the input that ends the output above" >&2
    return 1
  fi
}

running=()
for fuzzer in command_line results; do
  fuzz $fuzzer &
  running+=($!)
done
found=0
for fuzzer in "${running[@]}"; do wait "$fuzzer" || found=1; done
exit $found
