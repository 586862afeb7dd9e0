#!/usr/bin/env bash
# How many of the missing barriers and waits would a GPU let pass? Runs those mutants of three kernels on a GPU, 60 times
# each, and counts the wrong results; the emulator notices all of them: docs/method/mutants.md.
#
#   scripts/gpu_mutants.sh build DIR             makes DIR/gpu_mutants; needs nvcc and no GPU
#   scripts/gpu_mutants.sh run DIR --json=FILE   runs it; needs a GPU and none of the compilers
#
# KERNELS and ARCHS name other kernels than 01,03,16 and other GPUs than 90-real (as CMAKE_CUDA_ARCHITECTURES does).
set -euo pipefail
# shellcheck source=scripts/for_gpu.sh
source "$(dirname "${BASH_SOURCE[0]}")/for_gpu.sh"

if [[ $step == run ]]; then run_program "$dir/gpu_mutants" "$@"; fi

mkdir -p "$dir/sources"
rm -f "$dir"/sources/*.cu
# Without the mutants of an earlier build: CMake must not miss files that are about to be written anew.
configure "$root" -DFLASH_STEPS_ALL_CONFIGS=OFF -DFLASH_STEPS_GPU_MUTANTS=
make_targets mutants
"$dir/build/tests/mutants/mutants" --kernel="${KERNELS:-01,03,16}" --mistake=barrier,wait --write="$dir/sources"
configure "$root" -DFLASH_STEPS_GPU_MUTANTS="$dir/sources"
make_targets gpu_mutants
strip -o "$dir/gpu_mutants" "$dir/build/tests/mutants/gpu_mutants"
