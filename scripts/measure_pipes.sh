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
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
archs=${ARCHS:-90-real}

refuse() {
  echo "measure_pipes.sh: $1" >&2
  exit 2
}
usage="measure_pipes.sh build DIR, or measure_pipes.sh run DIR --json=FILE, would work"
(($# >= 2)) || refuse "two arguments at least are needed: $usage"
step=$1
dir=$2
shift 2

case $step in
  build)
    (($# == 0)) || refuse "build takes a folder alone, and '$1' is given: $usage"
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    generator=()
    if command -v ninja >/dev/null; then generator=(-G Ninja); fi
    cmake -S "$root" -B "$dir/build" "${generator[@]}" -DFLASH_STEPS_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES="$archs" \
      -DFLASH_STEPS_UNITY=ON >"$dir/build.log"
    cmake --build "$dir/build" --target gpu_pipes --parallel "$(nproc)" >>"$dir/build.log" ||
      { cat "$dir/build.log" >&2; exit 3; }
    strip -o "$dir/gpu_pipes" "$dir/build/tests/benchmark/pipes/gpu_pipes"
    if command -v cuobjdump >/dev/null; then cuobjdump -sass "$dir/gpu_pipes" >"$dir/gpu_pipes.sass"; fi
    ;;
  run)
    [[ -x $dir/gpu_pipes ]] || refuse "there is no '$dir/gpu_pipes': measure_pipes.sh build '$dir' makes it"
    exec "$dir/gpu_pipes" "$@"
    ;;
  *) refuse "'$step' is neither build nor run: $usage" ;;
esac
