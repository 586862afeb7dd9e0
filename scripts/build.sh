#!/usr/bin/env bash
# Builds for this machine into build/, with the GPU backend where it can be used. Quiet unless it fails.
#
#   scripts/build.sh [--try] TARGET…
#
# A TARGET is runner (which loads the kernels that it needs, so none is built with it), the code of a kernel
# (kernel_02_swizzling for the emulator, kernel_02_swizzling_gpu), site_text (what --site loads), or all: everything, tests included. Returns at once
# when nothing has changed. With --try, what does not compile is said and left out.
#
# Without a GPU the emulator alone is built, which is faster; all has the GPU's code, too, wherever there is nvcc. What
# was chosen when build/ was configured (cmake -S . -B build -DFLASH_STEPS_WERROR=ON, say) stays chosen when the machine
# changes. CXX and CUDACXX name other compilers, as CMake takes them, and are remembered.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
cd "$root"

try=false
if [[ ${1:-} == --try ]]; then
  try=true
  shift
fi
targets=("$@")
if ((${#targets[@]} == 0)); then
  echo "build.sh: nothing to build is named; build.sh runner would work." >&2
  exit 2
fi

# --- What the configuration depends on --------------------------------------------------------------------------------

# As the last configuration by this script left it, or one by hand.
declare -A last=([cuda]=OFF)
if [[ -f $build/machine ]]; then
  while IFS='=' read -r name value; do last[$name]=$value; done <"$build/machine"
elif [[ -f $build/CMakeCache.txt ]]; then
  last[cuda]=$(sed -n 's/^FLASH_STEPS_CUDA:.*=//p' "$build/CMakeCache.txt")
fi

gpus=$(compgen -G '/dev/nvidia[0-9]*' || compgen -G /dev/dxg || true)
gpus=${gpus//$'\n'/ }
cuda=${last[cuda]}
if [[ $cuda == OFF && (${targets[*]} == all || -n $gpus) ]]; then cuda=AUTO; fi

cxx=${CXX:-${last[CXX]:-}}
if [[ -z ${CXX:-} ]] && ! command -v "${cxx%% *}" >/dev/null; then cxx=; fi

nvcc=
if [[ $cuda != OFF ]]; then
  for candidate in "${CUDACXX:-${last[nvcc]:-nvcc}}" nvcc /usr/local/cuda/bin/nvcc; do
    if nvcc=$(command -v "$candidate"); then break; fi
  done
  # The folder may be a link to that of a version, and is the same compiler then.
  if [[ -n $nvcc ]]; then nvcc=$(cd "$(dirname "$nvcc")" && pwd -P)/$(basename "$nvcc"); fi
fi
machine=$(printf '%s\n' "root=$root" "CXX=$cxx" "cuda=$cuda" "nvcc=$nvcc" "GPUs=$gpus")

# --- Whether anything is to be done -----------------------------------------------------------------------------------

file_of() {  # file_of TARGET: sets file to what it makes
  local kernel=${1#kernel_}
  case $1 in
    kernel_*_gpu) file=$build/kernels/gpu/${kernel%_gpu}.so ;;
    kernel_*) file=$build/kernels/$kernel.so ;;
    site_text) file=$build/site_text.so ;;
    *) file=$build/$1 ;;
  esac
}

# A target's stamp is as old as the sources that it was built of. A folder is newer when a file came or went.
is_current() {
  local target stamp file oldest=
  [[ ${targets[*]} != all && -f $build/machine && $(<"$build/machine") == "$machine" ]] || return 1
  for target in "${targets[@]}"; do
    stamp=$build/stamps/$target
    file_of "$target"
    [[ -f $stamp ]] && { $try || [[ -e $file ]]; } || return 1
    if [[ -z $oldest || $stamp -ot $oldest ]]; then oldest=$stamp; fi
  done
  [[ -z $(find CMakeLists.txt scripts/cmake harness kernels -newer "$oldest" -print -quit 2>&1) ]]
}

if is_current; then exit; fi

# --- Building ---------------------------------------------------------------------------------------------------------

scripts/setup.sh
if ! { mkdir -p "$build/stamps" && exec {lock}>"$build/lock"; } 2>/dev/null; then
  echo "build.sh: $build cannot be written; a copy of the project in a folder that you may write to would work." >&2
  exit 3
fi
flock "$lock"  # one build at a time

log=$build/build.log
fail() {
  cat "$log" >&2
  echo "$1 (the output above is in build/build.log)." >&2
  exit 3
}

# What was chosen at an earlier configuration, for CMake to begin anew with.
choices() {
  local names='FLASH_STEPS_[A-Z_]+|CMAKE_BUILD_TYPE|CMAKE_CUDA_ARCHITECTURES|CMAKE_(CXX|CUDA)_(FLAGS|COMPILER_LAUNCHER)'
  sed -nE "/^FLASH_STEPS_CUDA:/d; s/^(($names|Torch_DIR):[A-Z]+=.*)/-D\1/p" "$build/CMakeCache.txt"
}

# Ninja cannot read the names of headers in a folder with an apostrophe in its name, and would build all anew each time.
generator='Unix Makefiles'
if [[ $root != *\'* ]] && command -v ninja >/dev/null; then generator=Ninja; fi

is_other_machine() {  # so that what CMake has cached about compilers and GPUs is void
  [[ -f $build/machine ]] && [[ ${last[root]:-} != "$root" || ${last[CXX]:-} != "$cxx" || ${last[GPUs]:-} != "$gpus" ||
    -n ${last[nvcc]:-} && ${last[nvcc]} != "$nvcc" ]]
}
options=(-DFLASH_STEPS_CUDA="$cuda")
if [[ ! -f $build/CMakeCache.txt ]]; then
  options+=(-G "$generator" -DFLASH_STEPS_UNITY=ON)
elif is_other_machine; then
  mapfile -t kept < <(choices)
  options+=(--fresh -G "$generator" "${kept[@]}")
fi
if [[ ${targets[*]} == all ]]; then options+=(-DFLASH_STEPS_TESTS=ON); fi

if [[ -z $nvcc && -n ${last[nvcc]:-} ]]; then
  echo "${last[nvcc]} is gone, and there is no other nvcc on the PATH: building the emulator alone." >&2
elif [[ -z $nvcc && -n $gpus && ! -f $build/machine ]]; then
  echo "There is a GPU, but no nvcc: building the emulator alone. With the CUDA Toolkit installed and nvcc on the" \
    "PATH, the kernels run on the GPU." >&2
fi
if [[ -t 2 && ! -x $build/runner ]]; then echo "Building the runner: the first time takes a minute." >&2; fi

export CUDACXX=$nvcc
if [[ -n $cxx ]]; then export CXX=$cxx; fi
for target in "${targets[@]}"; do touch "$build/stamps/$target.next"; done  # a file edited during the build is newer
cmake -S "$root" -B "$build" "${options[@]}" >"$log" 2>&1 || fail "CMake could not configure the build"
echo "$machine" >"$build/machine"

keep_going=()
if $try; then
  if [[ -f $build/build.ninja ]]; then keep_going=(-- -k 0); else keep_going=(-- -k); fi
fi
if ! cmake --build "$build" --target "${targets[@]}" --parallel "$(nproc)" "${keep_going[@]}" >"$log" 2>&1; then
  $try || fail "The build failed"
  # Their old code goes, which nobody should take for what the files say.
  while read -r target; do
    echo "build.sh: ${target%.dir} does not compile, and is left out (build/build.log says why)." >&2
    file_of "${target%.dir}"
    rm -f "$file"
  done < <(grep -E '^FAILED|\*\*\*' "$log" | grep -oE 'kernel_[A-Za-z0-9_]+\.dir' | sort -u)
fi
for target in "${targets[@]}"; do mv "$build/stamps/$target.next" "$build/stamps/$target"; done
