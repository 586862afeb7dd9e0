# shellcheck shell=bash
# What the scripts share that take KERNEL words: a name, behind which options of its problem may follow ("v02 --causal").
# Sourced, where $runner is the runner, and $ncu Nsight Compute where that is asked for.
# shellcheck disable=SC2034,SC2154  # variables of those that source this

require_runner() {
  [[ -x $runner ]] && return
  echo "$(basename "$0"): there is no '$runner': ./runner --list builds build/runner, RUNNER names another." >&2
  exit 3
}

require_ncu() {
  command -v "$ncu" >/dev/null && return
  echo "$(basename "$0"): there is no '$ncu': it comes with the CUDA Toolkit (Nsight Compute)." >&2
  exit 3
}

# The sixteen, by name.
names_of_all() {
  "$runner" --list --json=- |
    python3 -c 'import json, sys; [print(k["name"]) for k in json.load(sys.stdin)["kernels"] if k["chapter"] == "all"]'
}

# split_word WORD: into kernel, options and described, the options as text.
split_word() {
  read -ra options <<<"$1"
  kernel=${options[0]} options=("${options[@]:1}")
  described=${options[*]}
}
