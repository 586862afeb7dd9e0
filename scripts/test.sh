#!/usr/bin/env bash
# Builds everything and runs all tests; arguments go to ctest (for example -R emulator, or -LE gpu).
# Tests that need a GPU are reported as skipped where there is none.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/build.sh" all
exec ctest --test-dir "$root/build" --output-on-failure --parallel "$(nproc)" "$@"
