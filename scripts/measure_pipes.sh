#!/usr/bin/env bash
# Measures on a GPU what the predictor assumes of its pipes: how often each takes an instruction, alone and beside
# another, and how long a result takes (docs/method/prediction.md). Takes a few seconds of a GPU.
#
#   scripts/measure_pipes.sh build DIR             makes DIR/gpu_pipes, and its machine code in DIR/gpu_pipes.sass;
#                                                  needs nvcc and no GPU
#   scripts/measure_pipes.sh run DIR --json=FILE   runs it; needs a GPU and none of the compilers
#
# ARCHS names other GPUs than 90-real (as CMAKE_CUDA_ARCHITECTURES does).
set -euo pipefail
# shellcheck source=scripts/for_gpu.sh
source "$(dirname "${BASH_SOURCE[0]}")/for_gpu.sh"

if [[ $step == run ]]; then run_program "$dir/gpu_pipes" "$@"; fi

configure "$root" -DFLASH_STEPS_UNITY=ON
make_targets gpu_pipes
strip -o "$dir/gpu_pipes" "$dir/build/tests/benchmark/pipes/gpu_pipes"
if command -v cuobjdump >/dev/null; then cuobjdump -sass "$dir/gpu_pipes" >"$dir/gpu_pipes.sass"; fi
