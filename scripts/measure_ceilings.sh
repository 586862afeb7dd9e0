#!/usr/bin/env bash
# Measures on a GPU what its tensor cores reach by mma.sync and by wgmma, with nothing else to do
# (docs/method/measuring.md). Takes ten seconds of a GPU.
#
#   scripts/measure_ceilings.sh build DIR               makes DIR/gpu_ceilings; needs nvcc and no GPU
#   scripts/measure_ceilings.sh run DIR --json=FILE     runs it; needs a GPU and none of the compilers
#
# ARCHS names other GPUs than 90-real (as CMAKE_CUDA_ARCHITECTURES does); of wgmma there is code for Hopper alone.
set -euo pipefail
# shellcheck source=scripts/for_gpu.sh
source "$(dirname "${BASH_SOURCE[0]}")/for_gpu.sh"

if [[ $step == run ]]; then run_program "$dir/gpu_ceilings" "$@"; fi

configure "$root" -DFLASH_STEPS_UNITY=ON
make_targets gpu_ceilings
strip -o "$dir/gpu_ceilings" "$dir/build/tests/benchmark/ceilings/gpu_ceilings"
