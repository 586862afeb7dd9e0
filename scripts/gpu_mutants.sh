#!/usr/bin/env bash
# Which mistakes would a GPU let pass? Runs mutants of kernels on one, 60 launches each, and counts the wrong results,
# the errors and the launches that never end; the emulator notices all of them: docs/method/mutants.md.
#
#   scripts/gpu_mutants.sh build DIR             makes DIR/gpu_mutants and DIR/mutants; needs nvcc and no GPU
#   scripts/gpu_mutants.sh run DIR --json=FILE   runs them; needs a GPU and none of the compilers
#
# KERNELS and MISTAKES name others than 01,03,16 and barrier,wait; ARCHS names other GPUs than 90-real (as
# CMAKE_CUDA_ARCHITECTURES does). Those of the last Hopper kernel: docs/beyond/README.md.
#
# Of DIR the other machine needs gpu_mutants, mutants/list.json and mutants/*.so.
set -euo pipefail
# shellcheck source=scripts/for_gpu.sh
source "$(dirname "${BASH_SOURCE[0]}")/for_gpu.sh"

if [[ $step == run ]]; then run_program "$dir/gpu_mutants" "$@"; fi

mkdir -p "$dir/mutants"
configure "$root" -DFLASH_STEPS_ALL_CONFIGS=OFF
make_targets mutants gpu_mutants
strip -o "$dir/gpu_mutants" "$dir/build/tests/mutants/gpu_mutants"
"$dir/build/tests/mutants/mutants" --kernel="${KERNELS:-01,03,16}" --mistake="${MISTAKES:-barrier,wait}" \
  --gpu="$dir/mutants"
