#!/usr/bin/env bash
# Builds everything and runs all tests; arguments go to ctest (for example -R emulator, or -LE gpu).
# Tests that need a GPU are reported as skipped where there is none.
#
# With nvcc and without a GPU the kernels are built for sm_80 and sm_90 in their default configs, which is what the tests
# of the machine code read. nvcc takes 27 s of CPU for all configs of 16_static_stride and four architectures, and 7 s for
# the default one and four (.ci/run). cmake --preset cuda builds all of it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/build.sh" all

# The tests of the machine code read it with cuobjdump, which may be missing where only nvcc is installed.
PATH=$PATH:/usr/local/cuda/bin
if command -v "${CUDACXX:-nvcc}" >/dev/null && ! { command -v cuobjdump && command -v nvdisasm; } >/dev/null; then
  "$root/scripts/setup.sh" --disassembler || echo "The tests of the machine code will be skipped." >&2
fi
# One test more than there are cores: some wait for a browser.
exec ctest --test-dir "$root/build" --output-on-failure --parallel "$(($(nproc) + 1))" "$@"
