# shellcheck shell=bash
# What the scripts share that take KERNEL words: a name, behind which options of its problem may follow ("v02 --causal").
# Sourced, where $runner is the runner.
# shellcheck disable=SC2034,SC2154  # variables of those that source this

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
