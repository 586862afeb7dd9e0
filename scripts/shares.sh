#!/usr/bin/env bash
# What is each of the two ideas of the steps 10 and 12 worth by itself? Times two kernels that have one of them alone
# beside the steps, in one run: docs/10_first_softmax.md and docs/12_block_indexing.md show the figures.
#
#   scripts/shares.sh build DIR               makes the kernels and a runner in DIR; needs nvcc and no GPU
#   scripts/shares.sh run DIR --json=FILE …   times them; needs a GPU, and takes what ./runner takes
#
# ARCHS names other GPUs than 90-real (as CMAKE_CUDA_ARCHITECTURES does); OPTIONS are given to CMake.
set -euo pipefail
# shellcheck source=scripts/for_gpu.sh
source "$(dirname "${BASH_SOURCE[0]}")/for_gpu.sh"
steps=(09_register_moves 10_first_softmax 11_encoded_swizzle 12_block_indexing)
ideas=(v90_peeled_loop v92_one_division)

if [[ $step == run ]]; then
  kernels=$(IFS=,; echo "${steps[*]},${ideas[*]}")
  run_program "$dir/build/runner" --kernel="$kernels" --config=128x64_q2k2v2c1 --seqlen=512,1024,4096 --baseline=fa2 "$@"
fi

# replaced FILE OLD NEW: the line OLD of a kernel, which it must have once, becomes NEW, or goes when that is empty.
replaced() {
  (($(grep -cxF -- "$2" "$1") == 1)) || refuse "$1 no longer has the line '$2' once: adapt shares.sh to it"
  local line
  while IFS= read -r line; do
    if [[ $line != "$2" ]]; then echo "$line"; elif [[ -n $3 ]]; then echo "$3"; fi
  done <"$1" >"$1.next"
  mv "$1.next" "$1"
}

git -C "$root" ls-files -z CMakeLists.txt harness kernels scripts | (cd "$root" && xargs -0 cp --parents -t "$dir")
variants=$dir/kernels/variants
mkdir -p "$variants"
cp "$dir/kernels/10_first_softmax.cu" "$variants/v90_peeled_loop.cu"
replaced "$variants/v90_peeled_loop.cu" "          row_sum[r][half] += p0 + p1;" \
  "          row_sum[r][half] += p0; row_sum[r][half] += p1;"
cp "$dir/kernels/11_encoded_swizzle.cu" "$variants/v92_one_division.cu"
replaced "$variants/v92_one_division.cu" "      const float sum = sum_of_quad(row_sum[r][half]);" \
  "      const float scale = 1.0f / sum_of_quad(row_sum[r][half]);"
replaced "$variants/v92_one_division.cu" \
  "        const uint32_t pair = pack2<T>(o_regs[r][n][half * 2] / sum, o_regs[r][n][half * 2 + 1] / sum);" \
  "        const uint32_t pair = pack2<T>(o_regs[r][n][half * 2] * scale, o_regs[r][n][half * 2 + 1] * scale);"
targets=(runner)
for kernel in "${steps[@]}" "${ideas[@]}"; do targets+=("kernel_$kernel" "kernel_${kernel}_gpu"); done
# shellcheck disable=SC2086  # options are words
configure "$dir" -DFLASH_STEPS_TESTS=OFF -DFLASH_STEPS_UNITY=ON -DFLASH_STEPS_ALL_CONFIGS=ON ${OPTIONS:-}
make_targets "${targets[@]}"
