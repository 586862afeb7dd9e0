#!/usr/bin/env bash
# Measures how fast the emulator is, on one host thread: lane-words a second of each word of the vocabulary, and the
# time of each step at seqlen 512; and the CPU time of the runner's commands that run no kernel. Prints Google
# Benchmark's table and, with a FILE, writes its JSON without the host's name.
#
#   scripts/benchmark_emulator.sh [FILE]
#
# CPU time is what to read: others who use the machine hardly change it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
file=${1:-}
if (($# > 1)) || [[ $file == -* ]]; then
  echo "benchmark_emulator.sh: '$*' is not a file name; docs/results/emulator_benchmark.json would work." >&2
  exit 2
fi
if [[ -n $file && ! -w $(dirname "$file") ]]; then
  echo "benchmark_emulator.sh: $file cannot be written; a file in a folder that exists and is writable would work." >&2
  exit 2
fi
if [[ -n $file ]]; then file=$(realpath "$file"); fi
cd "$root"
scripts/setup.sh --benchmark
build=build/emulator
log=$build/benchmark.log
mkdir -p $build
if ! { cmake --preset emulator && cmake --build --preset emulator --parallel "$(nproc)" \
  --target emulator_benchmark; } >$log 2>&1; then
  cat $log >&2
  echo "benchmark_emulator.sh: the build failed (the output above is in $log)." >&2
  exit 3
fi
benchmark=$build/tests/benchmark/emulator_benchmark
if [[ -z $file ]]; then exec $benchmark; fi
temporary=$file.$$.tmp
trap 'rm -f "$temporary"' EXIT
$benchmark --benchmark_repetitions=3 --benchmark_report_aggregates_only=true --benchmark_out="$temporary" \
  --benchmark_out_format=json
# All files in docs/results say at their top what they are.
sed -i -e '1s|^{|{\n  "schema": "flash-steps/emulator-benchmark/1",|' -e '/"host_name":/d' "$temporary"
mv "$temporary" "$file"
