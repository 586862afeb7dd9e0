#!/usr/bin/env bash
# Builds for this machine into build/, with the GPU backend where it can be used. Quiet unless it fails.
#
#   scripts/build.sh runner   what ./runner needs; on a machine without a GPU the emulator alone, which builds faster.
#                             Returns at once when nothing has changed.
#   scripts/build.sh all      everything, tests included, and the GPU backend wherever there is nvcc
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
target=${1:?runner or all}
cd "$root"

# What the configuration depends on: when it changes, what CMake has cached about compilers and GPUs is void.
if ! nvcc=${CUDACXX:-$(command -v nvcc)} && [[ -x /usr/local/cuda/bin/nvcc ]]; then
  nvcc=/usr/local/cuda/bin/nvcc
fi
gpus=$(compgen -G '/dev/nvidia[0-9]*' || compgen -G /dev/dxg || true)
machine="root: $root, nvcc: $nvcc, GPUs: ${gpus//$'\n'/ }"

# A folder is newer when a file came or went, so this finds deleted files, too.
if [[ $target == runner && -x $build/runner && -f $build/machine && $(<"$build/machine") == "$machine" ]] &&
  [[ -z $(find CMakeLists.txt scripts/cmake harness kernels -newer "$build/built" -print -quit 2>&1) ]]; then
  exit
fi

scripts/setup.sh
mkdir -p "$build"
exec {lock}>"$build/lock"
flock $lock  # one build at a time

fail() {
  cat "$build/build.log" >&2
  echo "$1 (the output above is in build/build.log)." >&2
  exit 3
}

options=()
cuda=AUTO
if [[ $target == runner && -z $gpus ]]; then cuda=OFF; fi
if [[ -f $build/machine && $(<"$build/machine") != "$machine" ]]; then options+=(--fresh); fi
if [[ ! -f $build/CMakeCache.txt || ${options[*]} == --fresh ]]; then
  if command -v ninja >/dev/null; then options+=(-G Ninja); fi
  if [[ -n $gpus && -z $nvcc ]]; then
    echo "There is a GPU, but no nvcc: building the emulator alone. With the CUDA Toolkit installed and nvcc on the" \
      "PATH, the kernels run on the GPU." >&2
  fi
  options+=(-DFLASH_STEPS_CUDA=$cuda)
elif [[ $target == all ]]; then
  options+=(-DFLASH_STEPS_CUDA=AUTO -DFLASH_STEPS_TESTS=ON)
fi
if [[ -t 2 ]]; then echo "Building $target: the first time takes a minute or two." >&2; fi

export CUDACXX=$nvcc
touch "$build/built.next"  # a file that is edited during the build is newer than this
cmake -S "$root" -B "$build" "${options[@]}" >"$build/build.log" 2>&1 || fail "CMake could not configure the build"
echo "$machine" >"$build/machine"
cmake --build "$build" --target "$target" --parallel "$(nproc)" >"$build/build.log" 2>&1 || fail "The build failed"
mv "$build/built.next" "$build/built"
