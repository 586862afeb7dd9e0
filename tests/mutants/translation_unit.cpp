#include "mutants/translation_unit.h"

namespace flash_steps::mutants {
namespace {

constexpr const char* anonymous_namespace = "\nnamespace {\n";

}  // namespace

std::string registered_name(int number, const Mutant& mutant) {
  if (number >= most_mutants) {
    throw std::invalid_argument("a translation unit holds " + std::to_string(most_mutants) +
                                " mutants at most; fewer kernels or mistakes would work");
  }
  const std::string place = mutant.is_control() ? "" : "~" + mutant.mistake + "@" + std::to_string(mutant.line);
  return (number < 10 ? "0" : "") + std::to_string(number) + "_" + mutant.kernel + place;
}

std::string kernel_of(const std::string& registered_name) {
  return registered_name.substr(3, registered_name.find('~') - 3);
}

std::pair<std::string, int> mistake_of(const std::string& registered_name) {
  const size_t mistake = registered_name.find('~');
  if (mistake == std::string::npos) return {"", 0};
  const size_t line = registered_name.find('@', mistake);
  return {registered_name.substr(mistake + 1, line - mistake - 1), std::stoi(registered_name.substr(line + 1))};
}

std::string translation_unit(const std::vector<Mutant>& mutants, int first_number) {
  std::string unit;
  for (size_t i = 0; i < mutants.size(); i++) {
    const int number = first_number + static_cast<int>(i);
    std::string text = mutants[i].text;
    const size_t at = text.find(anonymous_namespace);
    if (at == std::string::npos) {
      throw CatalogueError(mutants[i].kernel + ".cu has no line \"namespace {\" that could be given a name");
    }
    text.replace(at, std::string(anonymous_namespace).size(), "\nnamespace mutant_" + std::to_string(number) + " {\n");
    unit += "#line 1 \"" + registered_name(number, mutants[i]) + ".cu\"\n" + text + "\n";
  }
  return unit;
}

}  // namespace flash_steps::mutants
