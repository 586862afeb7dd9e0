#!/usr/bin/env bash
# Do the threads of the emulator share anything that they should not? Builds the tests of what runs on several threads
# under ThreadSanitizer into build/threads and runs them. The first report ends them, and this script with a code other
# than 0.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if (($# > 0)); then
  echo "sanitize_threads.sh: '$*' is not understood; it takes no arguments." >&2
  exit 2
fi

scripts/setup.sh
build=build/threads
log=$build/build.log
mkdir -p $build
if ! { cmake --preset threads && cmake --build --preset threads --parallel "$(nproc)" --target thread_tests; } \
  >$log 2>&1; then
  cat $log >&2
  echo "sanitize_threads.sh: the build failed (the output above is in $log)." >&2
  exit 3
fi
# Left out: kernels whose CTAs write the same bytes, or load what others add to, races that are planted and reported as
# hazards, and a launch with more lanes than ThreadSanitizer can tell apart.
left_out=Scheduling.ReportsTheSameHazardsOnAnyNumberOfHostThreads:Additions.BesideALoadOrAStoreOfAnotherCta
left_out+=:Scheduling.RunsTheLargestCtaOnManyHostThreads
TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}" $build/tests/thread_tests --gtest_brief=1 --gtest_filter="-$left_out"
