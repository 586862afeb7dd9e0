#!/usr/bin/env bash
# Are the harness, the emulator and the kernels on it free of undefined behaviour? Builds them under AddressSanitizer
# and UndefinedBehaviorSanitizer into build/sanitize and runs the tests there that are not of scripts or mutants, spread
# over the cores. The first report ends its test program, and this script with a code other than 0.
#
#   scripts/sanitize_cpu.sh [--all]
#
# Without --all it leaves out what runs the same code on more data: of each kernel the default config remains, in fp16 and
# with onehot inputs; of the drawn problems the first ten but the longest of them; of the predictions a few; of the drawn
# command lines none, for those are fuzzed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

same_code='*KernelCounters.*:*Order.*:Hopper.TheOrder*:Registered.Offsets*:*/Kernels.*_bf16_*:*/Variants.*_bf16:AnyArguments.*'
same_code+=':PredictCommand.AtHalf*:PredictCommand.SaysWhat*'
for inputs in normal uniform large constant tiny negative positive creeping; do same_code+=":*Kernels.*_$inputs"; done
for drawn in 1 '??'; do same_code+=":*AnyProblem.*/$drawn"; done
case $* in
  '') filter="-$same_code" all_configs=OFF ;;
  --all) filter='*' all_configs=ON ;;
  *)
    echo "sanitize_cpu.sh: '$*' is not understood; --all is what there is." >&2
    exit 2
    ;;
esac

scripts/setup.sh
build=build/sanitize
log=$build/build.log
mkdir -p $build
if ! { cmake --preset sanitize -DFLASH_STEPS_EMULATOR_ALL_CONFIGS=$all_configs &&
  cmake --build --preset sanitize --parallel "$(nproc)" --target sanitized_tests; } \
  >$log 2>&1; then
  cat $log >&2
  echo "sanitize_cpu.sh: the build failed (the output above is in $log)." >&2
  exit 3
fi

# Not through ctest, which starts a program a test: stacks and memory that many tests reuse are where mistakes show.
shards=()
for ((i = 0; i < $(nproc); i++)); do
  GTEST_TOTAL_SHARDS=$(nproc) GTEST_SHARD_INDEX=$i $build/tests/sanitized_tests --gtest_brief=1 --gtest_filter="$filter" &
  shards+=($!)
done
exit_code=0
for shard in "${shards[@]}"; do wait "$shard" || exit_code=$?; done
exit $exit_code
