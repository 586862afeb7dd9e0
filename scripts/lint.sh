#!/usr/bin/env bash
# What is checked without running anything: the format of all C++ and CUDA (clang-format 14, for other versions disagree
# in details), the harness by clang-tidy (.clang-tidy says for what), whether each file of the harness and the tests
# compiles by itself, and the scripts by shellcheck. Exits with 1 if anything is found.
#
#   scripts/lint.sh [format] [tidy] [alone] [shell]     all by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

checks=("$@")
if ((${#checks[@]} == 0)); then checks=(format tidy alone shell); fi
for check in "${checks[@]}"; do
  if [[ ! $check =~ ^(format|tidy|alone|shell)$ ]]; then
    echo "lint.sh: '$check' is none of its checks: format, tidy, alone and shell are what there is." >&2
    exit 2
  fi
done
scripts/setup.sh --lint
found=0

if [[ " ${checks[*]} " == *" format "* ]]; then
  git ls-files -z -- '*.h' '*.cpp' '*.cu' '*.cuh' | xargs -0 clang-format-14 --dry-run -Werror || found=1
fi

configure() {  # configure FOLDER OPTION…
  local folder=$1
  shift
  mkdir -p "$folder"
  if ! cmake -S . -B "$folder" "$@" >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    echo "lint.sh: CMake could not configure the build." >&2
    exit 3
  fi
}

# A room in one piece, for most of the time goes into the libraries' headers; by itself what has options of its own.
if [[ " ${checks[*]} " == *" tidy "* ]]; then
  configure build/lint -DFLASH_STEPS_CUDA=OFF -DFLASH_STEPS_TESTS=OFF -DFLASH_STEPS_UNITY=ON
  if ! python3 - <<'EOF' |
import json, re
with open("build/lint/compile_commands.json") as file:
    for entry in json.load(file):
        if re.search(r" -o CMakeFiles/flash_steps_(computes|shows)\.dir/", entry["command"]):
            print(entry["file"], end="\0")
EOF
    xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 -p build/lint --config-file=.clang-tidy --quiet 2>build/lint/log; then
    grep -v ' warnings\? generated' build/lint/log >&2 || true
    found=1
  fi
fi

# What a file does not include shows only where it is not compiled in one piece with those that do: read by the compiler,
# with the warnings that reading gives, and not translated. The kernels are never in one piece.
if [[ " ${checks[*]} " == *" alone "* ]]; then
  PATH=$PATH:/usr/local/cuda/bin configure build/lint/alone -DFLASH_STEPS_UNITY=OFF -DFLASH_STEPS_WERROR=ON
  python3 - <<'EOF' | xargs -0 -n 1 -P "$(nproc)" bash -c || found=1
import json
with open("build/lint/alone/compile_commands.json") as file:
    commands = {entry["file"]: entry for entry in json.load(file) if entry["file"].endswith(".cpp")}
for entry in commands.values():
    print(f'cd "{entry["directory"]}" && {entry["command"]} -fsyntax-only', end="\0")
EOF
fi

if [[ " ${checks[*]} " == *" shell "* ]]; then
  shellcheck runner .ci/run scripts/*.sh || found=1
fi
exit $found
