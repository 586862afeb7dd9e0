#include <iostream>

#include "harness/base/text.h"
#include "harness/machine/baseline.h"
#include "harness/runner/commands/commands.h"
#include "harness/runner/given.h"

namespace flash_steps {
namespace {

template <typename T, size_t count>
std::string names_of(const T (&all)[count]) {
  std::vector<std::string> names;
  for (const T value : all) names.emplace_back(name_of(value));
  return join(names, " ");
}

std::string names_of_kernels() {
  std::vector<std::string> names;
  for (const Chapter& chapter : chapters()) {
    if (!of_chapter(chapter.name).empty()) names.push_back(chapter.name);
  }
  for (const Kernel& kernel : kernels()) names.push_back(kernel.name);
  return join(names, " ");
}

// A line of the case statement: the values of an option, of which a list takes several.
std::string case_of(const std::string& option, const std::string& values) {
  return "    " + option + ") values=\"" + values + "\" ;;\n";
}

}  // namespace

int show_completion(const std::string& shell) {
  if (shell == "zsh") std::cout << "autoload -U +X bashcompinit && bashcompinit\n";
  // COMP_WORDBREAKS parts words at = and :, so an option and its value are words of their own.
  std::cout
      << "# Completion of ./runner: source <(./runner --completion=" << shell << ")\n"
      << "_flash_steps_runner() {\n"
      << "  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} values= done=\n"
      << "  if [[ $word == = ]]; then word=; elif [[ $option == = ]]; then option=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
      << "  if [[ $word == *,* ]]; then done=${word%,*},; fi\n"
      << "  case $option in\n"
      << case_of("--kernel", names_of_kernels()) << case_of("--device", "auto gpu emulator")
      << case_of("--dtype", names_of(all_dtypes) + " all") << case_of("--inputs", names_of(all_distributions) + " all")
      << case_of("--baseline", names_of(all_baselines)) << case_of("--pass", names_of(all_passes))
      << case_of("--config", "all") << case_of("--completion", "bash zsh")
      << "    --json | --update) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
      << "    *) values=\"" << join(option_names(), " ") << "\" ;;\n"
      << "  esac\n"
      << "  COMPREPLY=($(compgen -P \"$done\" -W \"$values\" -- \"${word##*,}\"))\n"
      << "}\n"
      << "complete -o default -F _flash_steps_runner ./runner runner build/runner\n";
  return 0;
}

}  // namespace flash_steps
