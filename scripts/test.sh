#!/usr/bin/env bash
# Builds everything and runs all tests; arguments go to ctest (for example -R emulator, or -LE gpu).
# Tests that need a GPU are reported as skipped where there is none.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/build.sh" all

# The tests of the machine code read it with cuobjdump, which may be missing where only nvcc is installed.
PATH=$PATH:/usr/local/cuda/bin
if command -v "${CUDACXX:-nvcc}" >/dev/null && ! { command -v cuobjdump && command -v nvdisasm; } >/dev/null; then
  "$root/scripts/setup.sh" --disassembler || echo "The tests of the machine code will be skipped." >&2
fi
exec ctest --test-dir "$root/build" --output-on-failure --parallel "$(nproc)" "$@"
