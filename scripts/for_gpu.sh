#!/usr/bin/env bash
# Sourced by the scripts that make a program in a folder on one machine and run it on another, which has a GPU:
#
#   SCRIPT build DIR               needs nvcc and no GPU
#   SCRIPT run DIR --json=FILE …   needs a GPU and none of the compilers
#
# ARCHS names other GPUs than 90-real (as CMAKE_CUDA_ARCHITECTURES does). What it sets: $root, the sources; $step, build
# or run; $dir, the folder; and "$@" becomes what stands behind that.
script=$(basename "$0")
# shellcheck disable=SC2034  # for those that source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

refuse() {
  echo "$script: $1" >&2
  exit 2
}

# configure SOURCES OPTION…: the build folder. What CMake says is in DIR/build.log.
configure() {
  local generator=()
  if [[ ! -e $dir/build/CMakeCache.txt ]] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
  cmake -S "$1" -B "$dir/build" "${generator[@]}" -DFLASH_STEPS_CUDA=ON \
    -DCMAKE_CUDA_ARCHITECTURES="${ARCHS:-90-real}" "${@:2}" >>"$dir/build.log"
}

# make_targets TARGET…
make_targets() {
  cmake --build "$dir/build" --target "$@" --parallel "$(nproc)" >>"$dir/build.log" ||
    { cat "$dir/build.log" >&2; exit 3; }
}

# run_program PROGRAM ARGUMENT…: instead of this script.
run_program() {
  [[ -x $1 ]] || refuse "there is no '$1': $script build '$dir' makes it"
  exec "$@"
}

usage="$script build DIR, or $script run DIR --json=FILE, would work"
(($# >= 2)) || refuse "two arguments at least are needed: $usage"
step=$1
dir=$2
shift 2
case $step in
  build)
    (($# == 0)) || refuse "build takes a folder alone, and '$1' is given: $usage"
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    : >"$dir/build.log"
    ;;
  run) ;;
  *) refuse "'$step' is neither build nor run: $usage" ;;
esac
