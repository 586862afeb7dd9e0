// Whatever the arguments, the runner ends by itself, with an exit code from 0 to 3, and says why if it is not 0. Here
// the whole program is run; scripts/fuzz.sh goes deeper into how the arguments are understood.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "tests/support/content.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr int runs = 150;
constexpr rlim_t cpu_seconds = 30;  // far more than any of these commands takes

// Options, right ones and wrong ones. Those that are right ask for little work.
const std::vector<std::string> options = {
    "--kernel=01",
    "--kernel=2-3",
    "--kernel=16",
    "--kernel=01_base,02_swizzling",
    "--kernel",
    "--kernel=",
    "--kernel=,",
    "--kernel=0x1",
    "--kernel=-",
    "--kernel=3-1",
    "--kernel=9999",
    "--kernel=99999999999999999999",
    "--kernel=\xff\xfe",
    "--kernel=../../etc/passwd",
    "--device=gpu",
    "--device=",
    "--device=emulator",
    "--batch=1",
    "--batch=2",
    "--batch=0",
    "--batch=65536",
    "--batch=-1",
    "--heads=1",
    "--heads=3",
    "--heads=18446744073709551616",
    "--heads=NaN",
    "--seqlen=64",
    "--seqlen=128,64",
    "--seqlen=100",
    "--seqlen=2147483584",
    "--seqlen=2147483648",
    "--seqlen=-9223372036854775808",
    "--seqlen=64,,",
    "--head-dim=128",
    "--head-dim=0",
    "--dtype=bf16",
    "--dtype=fp8",
    "--seed=18446744073709551615",
    "--seed=-1",
    "--inputs=large",
    "--inputs=large,onehot",
    "--config=64x64",
    "--config=all",
    "--config=%n%s%n",
    "--check-only",
    "--check-only=2",
    "--repeat=2",
    "--repeat=0",
    "--profile",
    "--explain",
    "--diff",
    "--list",
    "--help",
    "-h",
    "--table",
    "--update=.",
    "--update=missing.md",
    "--update=/dev/null",
    "--arch=sm_90",
    "--baseline=fa2",
    "--baseline=fa2,,",
    "--json=out.json",
    "--json=/dev/full",
    "--json=/",
    "--json=",
    "--resume",
    "--samples=1",
    "--samples=1e9",
    "--min-time=inf",
    "--min-time=0",
    "--host-threads=1024",
    "--host-threads=0",
    "--lane-order=7",
    "--lane-order=x",
};
const std::vector<std::string> not_options = {"",
                                              "-",
                                              "--",
                                              "---",
                                              "=",
                                              "--=",
                                              "-k",
                                              "out.json",
                                              "no such file",
                                              "\n",
                                              "\x01\x7f",
                                              "--kernel\n=01",
                                              "%s%s%s%n",
                                              "--no-kernel",
                                              "--kernel=01 --list",
                                              std::string(100000, 'A'),
                                              "--" + std::string(100000, '-'),
                                              "--kernel=" + std::string(100000, '1'),
                                              "--seqlen=" + std::string(50000, ',')};

struct Ending {
  int status = 0;  // as waitpid gives it
  std::string err;
};

class AnyArguments : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("flash_steps_any_arguments_" + std::to_string(getpid()));
    fs::create_directories(folder_ / "work");
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Without a shell, which would not let all arguments through.
  Ending run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), FLASH_STEPS_RUNNER);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    // A GPU would make some of these commands long ones.
    std::string no_gpu = "CUDA_VISIBLE_DEVICES=";
    std::vector<char*> environment = {no_gpu.data()};
    for (char** variable = environ; *variable != nullptr; variable++) environment.push_back(*variable);
    environment.push_back(nullptr);

    const std::string err = folder_ / "err";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_addchdir_np(&actions, (folder_ / "work").c_str());
    pid_t child = 0;
    EXPECT_EQ(posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environment.data()), 0);
    posix_spawn_file_actions_destroy(&actions);
    const rlimit limit{cpu_seconds, cpu_seconds};
    prlimit(child, RLIMIT_CPU, &limit, nullptr);
    Ending outcome;
    waitpid(child, &outcome.status, 0);
    outcome.err = content(err);
    return outcome;
  }

  fs::path folder_;
};

TEST_F(AnyArguments, EndWithAnExitCodeFrom0To3AndAReason) {
  std::mt19937_64 random(1);
  const auto one_of = [&](const std::vector<std::string>& list) { return list[random() % list.size()]; };
  int good = 0;
  int refused = 0;
  for (int i = 0; i < runs; i++) {
    // Some would work as they stand, which more arguments then spoil.
    std::vector<std::string> arguments;
    if (random() % 2 == 0) arguments = {"--kernel=01", "--device=emulator", "--seqlen=64"};
    for (size_t more = random() % 4; more > 0; more--) {
      arguments.push_back(random() % 8 == 0 ? one_of(not_options) : one_of(options));
    }
    std::string shown;
    for (const std::string& argument : arguments) shown += " '" + argument.substr(0, 100) + "'";
    SCOPED_TRACE("runner" + shown);

    const Ending outcome = run(arguments);
    ASSERT_TRUE(WIFEXITED(outcome.status)) << "ended by signal " << WTERMSIG(outcome.status) << "\n" << outcome.err;
    const int exit_code = WEXITSTATUS(outcome.status);
    EXPECT_LE(exit_code, 3) << outcome.err;
    EXPECT_NE(exit_code, 1) << "no kernel is wrong: " << outcome.err;
    if (exit_code != 0) {
      EXPECT_TRUE(outcome.err.starts_with("runner: ")) << outcome.err;
    }
    good += exit_code == 0;
    refused += exit_code == 2;
  }
  // Or the arguments are too tame, or too wild, to show anything.
  EXPECT_GT(good, runs / 20);
  EXPECT_GT(refused, runs / 4);
}

}  // namespace
}  // namespace flash_steps
