#!/usr/bin/env bash
# How many of the missing barriers and waits would a GPU let pass? Runs those mutants of three kernels on a GPU, 60 times
# each, and counts the wrong results; the emulator notices all of them: docs/method/mutants.md.
#
#   scripts/gpu_mutants.sh build DIR             makes DIR/gpu_mutants; needs nvcc and no GPU
#   scripts/gpu_mutants.sh run DIR --json=FILE   runs it; needs a GPU and none of the compilers
#
# KERNELS and ARCHS name other kernels than 01,03,16 and other GPUs than 90-real (as CMAKE_CUDA_ARCHITECTURES does).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kernels=${KERNELS:-01,03,16}
archs=${ARCHS:-90-real}

refuse() {
  echo "gpu_mutants.sh: $1" >&2
  exit 2
}
usage="gpu_mutants.sh build DIR, or gpu_mutants.sh run DIR --json=FILE, would work"
(($# >= 2)) || refuse "two arguments at least are needed: $usage"
step=$1
dir=$2
shift 2

case $step in
  build)
    (($# == 0)) || refuse "build takes a folder alone, and '$1' is given: $usage"
    mkdir -p "$dir/sources"
    dir=$(cd "$dir" && pwd)
    rm -f "$dir"/sources/*.cu
    generator=()
    if command -v ninja >/dev/null; then generator=(-G Ninja); fi
    # Without the mutants of an earlier build: CMake must not miss files that are about to be written anew.
    cmake -S "$root" -B "$dir/build" "${generator[@]}" -DFLASH_STEPS_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES="$archs" \
      -DFLASH_STEPS_ALL_CONFIGS=OFF -DFLASH_STEPS_GPU_MUTANTS= >"$dir/build.log"
    cmake --build "$dir/build" --target mutants --parallel "$(nproc)" >>"$dir/build.log" ||
      { cat "$dir/build.log" >&2; exit 3; }
    "$dir/build/tests/mutants/mutants" --kernel="$kernels" --mistake=barrier,wait --write="$dir/sources"
    cmake -S "$root" -B "$dir/build" -DFLASH_STEPS_GPU_MUTANTS="$dir/sources" >>"$dir/build.log"
    cmake --build "$dir/build" --target gpu_mutants --parallel "$(nproc)" >>"$dir/build.log" ||
      { cat "$dir/build.log" >&2; exit 3; }
    strip -o "$dir/gpu_mutants" "$dir/build/tests/mutants/gpu_mutants"
    ;;
  run)
    [[ -x $dir/gpu_mutants ]] || refuse "there is no '$dir/gpu_mutants': gpu_mutants.sh build '$dir' makes it"
    exec "$dir/gpu_mutants" "$@"
    ;;
  *) refuse "'$step' is neither build nor run: $usage" ;;
esac
