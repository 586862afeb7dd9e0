#include "harness/sass/symbol.h"

#include <vector>

#include "harness/base/text.h"

namespace flash_steps {
namespace {

// A type with its length in front, as a symbol has it; and a number or a truth value as the literal it is.
std::string mangled(const std::string& argument) {
  if (argument == "true") return "Lb1E";
  if (argument == "false") return "Lb0E";
  if (is_digit(argument.front())) return "Li" + argument + "E";
  if (argument.front() == '-') return "Lin" + argument.substr(1) + "E";
  return std::to_string(argument.size()) + argument;
}

}  // namespace

bool is_symbol_of(const std::string& symbol, const std::string& function) {
  const size_t open = function.find('<');
  const std::string name = function.substr(0, open);
  const std::string mangled_name = std::to_string(name.size()) + name;
  if (open == std::string::npos) return symbol.find(mangled_name) != std::string::npos;
  size_t at = symbol.find(mangled_name + "I");
  if (at == std::string::npos) return false;
  at += mangled_name.size() + 1;
  const std::string arguments = function.substr(open + 1, function.rfind('>') - open - 1);
  for (std::string argument : split(arguments, ',')) {
    if (argument.starts_with(" ")) argument = argument.substr(1);
    const std::string expected = mangled(argument);
    if (expected.front() == 'L') {  // literals follow each other directly
      if (symbol.compare(at, expected.size(), expected) != 0) return false;
      at += expected.size();
    } else {  // a type may have its namespace around it: NS_6fp16_tE
      const size_t found = symbol.find(expected, at);
      if (found == std::string::npos || found > at + 4) return false;
      const bool is_nested = symbol[at] == 'N';
      at = found + expected.size() + (is_nested ? 1 : 0);
    }
  }
  return at < symbol.size() && symbol[at] == 'E';
}

}  // namespace flash_steps
