#!/usr/bin/env bash
# Is a kernel file and its page all that a new step takes? Copies the project, adds the two to a chapter there, and asks
# for the step by all ways: --list, --kernel, --diff, --explain, the pages. The copy is removed in the end.
#
#   scripts/test_new_step.sh [--tests]     with --tests, the copy has to pass all tests, too
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case $* in
  '' | --tests) ;;
  *)
    echo "test_new_step.sh: '$*' is not understood; --tests is what there is." >&2
    exit 2
    ;;
esac

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -C "$root" --exclude=./build --exclude=./.git -c . | tar -C "$copy" -x
cd "$copy"

before=$(basename "$(printf '%s\n' kernels/primer/p*.cu | tail -n 1)" .cu)
step=p99_copy
sed "s/$before/$step/g; s/^const Registration registration(__FILE__, \".*\",$/const Registration registration(__FILE__, \"once more\",/" \
  "kernels/primer/$before.cu" >kernels/primer/$step.cu
cat >docs/primer/$step.md <<EOF
# $step: once more

What [$before]($before.md) does. <!-- change --><!-- /change -->

<!-- navigation -->
<!-- /navigation -->
EOF

fail() {
  echo "test_new_step.sh: $1" >&2
  [[ -z ${2:-} ]] || printf '%s\n' "$2" >&2
  exit 1
}
expect() {  # expect TEXT ARGUMENT…: what the runner prints has the text in it
  local text=$1 output
  shift
  output=$(./runner "$@" 2>&1) || fail "./runner $* exits with $?" "$output"
  [[ $output == *"$text"* ]] || fail "./runner $* does not say '$text'" "$output"
}
# The default configs alone and not optimised, unless all tests are to pass: what is asked here needs no more. Where a
# cache has what .ci/run compiled, as that did.
if [[ ${1:-} != --tests ]]; then
  scripts/setup.sh
  options=(-DFLASH_STEPS_EMULATOR_ALL_CONFIGS=OFF -DCMAKE_CXX_FLAGS_RELEASE=-O0)
  if [[ ${CMAKE_CXX_COMPILER_LAUNCHER:-} == ccache ]]; then options=(-DFLASH_STEPS_WERROR=ON); fi
  cmake -S . -B build -G Ninja -DFLASH_STEPS_CUDA=OFF -DFLASH_STEPS_UNITY=ON "${options[@]}" >/dev/null
fi
expect 'once more' --list
expect "$step" --kernel=p99 --device=emulator
expect "$step" --kernel=primer --list
expect 'once more' --kernel=p99 --diff
expect 'ldmatrix' --kernel=p99 --explain
expect '' --table --update=docs/primer
grep -q "\[$before\]($before.md)" docs/primer/$step.md || fail "the page has no link to the step before"
grep -q "Next: \[$step\]($step.md)" "docs/primer/$before.md" || fail "the page of $before has no link to $step"
if [[ ${1:-} == --tests ]]; then scripts/test.sh; fi
echo "A kernel file and its page are all that a new step takes."
