#!/usr/bin/env bash
# Builds libflash_steps_torch.so, with which the runner measures FlashAttention-2, cuDNN and PyTorch's standard attention
# (--baseline=fa2,cudnn,pytorch), out of harness/baselines/torch_plugin.cpp. Needs g++, PyTorch with CUDA and the headers
# of the CUDA Toolkit, and nothing else of what the project needs.
#
#   scripts/build_torch_plugin.sh OUT_DIR
#
# TORCH_ROOT   the folder of PyTorch that has include/ and lib/; by default that of python3's torch
# CUDA_HOME    the folder of the CUDA Toolkit; by default that of the nvcc on the PATH, or /usr/local/cuda
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  echo "build_torch_plugin.sh: $1" >&2
  exit 3
}
if (($# != 1)); then
  echo "build_torch_plugin.sh: one argument is needed, the folder for the plugin: build_torch_plugin.sh build" >&2
  exit 2
fi
out=$1

torch=${TORCH_ROOT:-}
if [[ -z $torch ]]; then
  # Without importing it, which takes seconds.
  torch=$(python3 -c '
import importlib.util
spec = importlib.util.find_spec("torch")
print(spec.submodule_search_locations[0] if spec else "")' 2>/dev/null) || true
  [[ -n $torch ]] || fail "python3 has no torch; pip install torch, or TORCH_ROOT=FOLDER of a libtorch, would work"
fi
[[ -f $torch/lib/libtorch_cuda.so ]] || fail "'$torch' has no lib/libtorch_cuda.so; a PyTorch with CUDA would work"

cuda=${CUDA_HOME:-}
if [[ -z $cuda ]]; then
  if nvcc=$(command -v nvcc); then cuda=$(dirname "$(dirname "$(readlink -f "$nvcc")")"); else cuda=/usr/local/cuda; fi
fi
[[ -f $cuda/include/cuda_runtime_api.h ]] ||
  fail "'$cuda' has no include/cuda_runtime_api.h; CUDA_HOME=FOLDER of a CUDA Toolkit would work"

# Libraries of before 2.6 may have std::string of the old layout; their symbols say which.
abi=0
if grep -q __cxx11 "$torch/lib/libc10.so"; then abi=1; fi

mkdir -p "$out"
plugin=$out/libflash_steps_torch.so
# The temporary name keeps a plugin that is in use whole. libtorch_cuda registers its operators when it is loaded, and
# nothing here refers to it: hence --no-as-needed.
"${CXX:-g++}" -std=c++20 -O2 -fPIC -shared -D_GLIBCXX_USE_CXX11_ABI=$abi \
  -I"$root" -isystem "$torch/include" -isystem "$torch/include/torch/csrc/api/include" -isystem "$cuda/include" \
  "$root/harness/baselines/torch_plugin.cpp" -o "$plugin.$$" \
  -L"$torch/lib" -Wl,-rpath,"$torch/lib" -Wl,--no-as-needed -ltorch -ltorch_cuda -ltorch_cpu -lc10_cuda -lc10 ||
  { rm -f "$plugin.$$"; fail "the compiler could not build the plugin (its output is above)"; }
mv "$plugin.$$" "$plugin"
echo "$plugin"
