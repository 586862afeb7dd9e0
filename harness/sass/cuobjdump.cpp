#include "harness/sass/cuobjdump.h"

#include <unistd.h>

#include <cstdlib>

#include "harness/base/error.h"
#include "harness/base/folders.h"
#include "harness/base/process.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

constexpr const char* toolkit_folder = "/usr/local/cuda/bin";

std::string installed_folder() { return (source_folder() / "build/tools/bin").string(); }

std::filesystem::path find_program(const std::string& name, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::filesystem::path file = std::filesystem::path(folder) / name;
    std::error_code error;
    if (!folder.empty() && std::filesystem::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0) {
      return file;
    }
  }
  throw MachineError(name + " is neither on the PATH nor in " + toolkit_folder + " nor in " + installed_folder() +
                     "; scripts/setup.sh --disassembler installs it");
}

// A folder of its own that is gone afterwards.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "flash_steps_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw MachineError("no folder can be made in " + std::filesystem::temp_directory_path().string() +
                         "; TMPDIR names another place");
    }
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

Cuobjdump::Cuobjdump() {
  const char* path = std::getenv("PATH");
  path_ = path == nullptr ? "" : path;
  std::vector<std::string> folders = split(path_, ':');
  folders.insert(folders.end(), {toolkit_folder, installed_folder()});
  program_ = find_program("cuobjdump", folders);
  nvdisasm_ = find_program("nvdisasm", folders);
  path_ = program_.parent_path().string() + ":" + nvdisasm_.parent_path().string() + ":" + path_;
}

std::string Cuobjdump::run(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"env", "PATH=" + path_, program_.string()});
  const auto result = run_process(arguments);
  if (!result || result->exit_code != 0) {
    const std::string said = result ? split(result->errors, '\n').front() : "";
    throw MachineError(program_.string() + " does not work on " + arguments.back() +
                       (said.empty() ? "" : " (" + said + ")") +
                       "; the one of this build's CUDA Toolkit or a newer one would");
  }
  return result->output;
}

std::vector<DeviceFunction> Cuobjdump::functions(const std::filesystem::path& binary) const {
  std::vector<DeviceFunction> functions = parse_functions(run({"-res-usage", binary.string()}));
  if (functions.empty()) throw MachineError(binary.string() + " holds no machine code of kernels; one with it would");
  return functions;
}

MachineCode Cuobjdump::disassemble(const std::filesystem::path& binary, const DeviceFunction& function) const {
  const std::vector<Instruction> instructions =
      parse_listing(run({"-sass", "-arch", function.arch, "-fun", function.symbol, binary.string()}));
  if (instructions.empty()) {
    throw MachineError(program_.string() + " prints no instructions of " + function.symbol + " for " + function.arch +
                       "; the one of this build's CUDA Toolkit or a newer one would");
  }
  return machine_code(function, instructions);
}

std::string Cuobjdump::with_lines(const std::filesystem::path& binary, const std::string& arch, bool encodings) const {
  // cuobjdump puts cubins nowhere but into its own folder.
  const ScratchFolder folder;
  const auto run_there = [&](const std::string& command) {
    return run_process({"env", "--chdir=" + folder.path().string(), "PATH=" + path_, "sh", "-c", command, "sh",
                        std::filesystem::absolute(binary).string(), arch});
  };
  const auto extracted = run_there("cuobjdump --extract-elf \".$2.\" \"$1\"");
  const auto printed = run_there(std::string("exec nvdisasm --print-line-info-inline --print-code ") +
                                 (encodings ? "--print-instruction-encoding " : "") + "./*.\"$2\".cubin");
  if (!extracted || extracted->exit_code != 0 || !printed || printed->exit_code != 0) {
    const std::string said = printed ? split(printed->errors, '\n').front() : "";
    throw MachineError(nvdisasm_.string() + " does not print the lines of " + binary.string() + " for " + arch +
                       (said.empty() ? "" : " (" + said + ")") +
                       "; that of this build's CUDA Toolkit or a newer one would");
  }
  return printed->output;
}

}  // namespace flash_steps
