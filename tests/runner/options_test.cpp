// The command line: what it means, and what it refuses.
#include "harness/runner/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/measure/plan.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Not;

Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "runner");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

// The message of the UsageError, or "accepted".
std::string refusal(std::vector<const char*> arguments) {
  try {
    parse(arguments);
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  return "accepted";
}

TEST(Options, NothingGivenAsksForHelp) {
  EXPECT_THAT(parse({}).help, HasSubstr("--kernel"));
  EXPECT_THAT(parse({"--help"}).help, HasSubstr("--kernel"));
  EXPECT_EQ(parse({"--list"}).help, "");
}

TEST(Options, EveryOptionIsUnderstood) {
  const Options o =
      parse({"--kernel=01-03,09", "--device=auto", "--batch=2", "--heads=3", "--seqlen=64,128", "--head-dim=128",
             "--dtype=bf16,fp16,bf16", "--seed=18446744073709551615", "--inputs=onehot,tiny", "--config=64x64",
             "--json=out.json", "--samples=7", "--min-time=0.25", "--host-threads=2", "--lane-order=5", "--check-only",
             "--repeat=250", "--baseline=cudnn,fa2,cudnn", "--resume"});
  EXPECT_EQ(o.mode, Mode::check_only);
  EXPECT_EQ(o.kernels, "01-03,09");
  EXPECT_EQ(o.device, DeviceChoice::automatic);
  EXPECT_EQ(o.batch, 2);
  EXPECT_EQ(o.heads, 3);
  EXPECT_THAT(o.seqlens, ElementsAre(64, 128));
  EXPECT_THAT(o.dtypes, ElementsAre(Dtype::bf16, Dtype::fp16));
  EXPECT_EQ(o.seed, 18446744073709551615u);
  EXPECT_THAT(o.inputs, ElementsAre(InputDistribution::onehot, InputDistribution::tiny));
  EXPECT_EQ(o.config, "64x64");
  EXPECT_EQ(o.json, "out.json");
  EXPECT_EQ(o.budget.min_samples, 7);
  EXPECT_EQ(o.budget.min_seconds, 0.25);
  EXPECT_EQ(o.host_threads, 2);
  EXPECT_EQ(o.lane_order, 5u);
  EXPECT_EQ(o.repeats, 250);
  EXPECT_THAT(o.baselines, ElementsAre(Baseline::cudnn, Baseline::fa2));
  EXPECT_TRUE(o.resume);
}

TEST(Options, WhatIsLeftOpenStaysOpen) {
  const Options o = parse({"--kernel=01"});
  EXPECT_EQ(o.mode, Mode::measure);
  EXPECT_EQ(o.device, DeviceChoice::automatic);
  EXPECT_EQ(o.batch, std::nullopt);
  EXPECT_TRUE(o.dtypes.empty());
  EXPECT_TRUE(o.inputs.empty());
  EXPECT_TRUE(o.seqlens.empty());
  EXPECT_EQ(o.json, std::nullopt);
}

TEST(Options, AValueMayFollowAsAnArgumentOfItsOwn) { EXPECT_EQ(parse({"--kernel", "01", "--batch", "4"}).batch, 4); }

TEST(Options, EachModeIsChosenByItsFlag) {
  EXPECT_EQ(parse({"--list"}).mode, Mode::list);
  EXPECT_EQ(parse({"--kernel=1", "--diff"}).mode, Mode::diff);
  EXPECT_EQ(parse({"--kernel=1", "--explain"}).mode, Mode::explain);
  EXPECT_EQ(parse({"--kernel=1", "--profile"}).mode, Mode::profile);
}

TEST(Options, NumbersMustBeWholeAndInRange) {
  for (const char* text : {"0", "-1", "x", "1.5", "65536", "99999999999999999999", "4x", " 4", "0x4"}) {
    const std::string argument = std::string("--batch=") + text;
    EXPECT_THAT(refusal({"--kernel=01", argument.c_str()}),
                AllOf(HasSubstr(argument), HasSubstr("a whole number from 1 to 65535")));
  }
  EXPECT_THAT(refusal({"--kernel=01", "--heads=65536"}), HasSubstr("from 1 to 65535"));
  EXPECT_EQ(refusal({"--kernel=01", "--heads=65535"}), "accepted");
  for (const char* argument : {"--seqlen=0", "--seqlen=-64", "--seqlen=abc", "--seqlen=2147483648", "--seqlen=64,",
                               "--seqlen=64,x", "--seqlen=1e3"}) {
    EXPECT_THAT(refusal({"--kernel=01", argument}), HasSubstr("a whole number from 1 to 2147483647"));
  }
  EXPECT_THAT(refusal({"--kernel=01", "--seed=-1"}), HasSubstr("from 0 to 18446744073709551615"));
  EXPECT_THAT(refusal({"--kernel=01", "--seed=18446744073709551616"}), HasSubstr("--seed=18446744073709551616"));
  EXPECT_THAT(refusal({"--kernel=01", "--samples=0"}), HasSubstr("from 1 to"));
  EXPECT_THAT(refusal({"--kernel=01", "--host-threads=0"}), HasSubstr("from 1 to 1024"));
}

TEST(Options, TimesMustBeSeconds) {
  for (const char* argument :
       {"--min-time=-1", "--min-time=nan", "--min-time=inf", "--min-time=x", "--min-time=3601"}) {
    EXPECT_THAT(refusal({"--kernel=01", argument}), AllOf(HasSubstr(argument), HasSubstr("from 0 to 3600")))
        << argument;
  }
  EXPECT_EQ(parse({"--kernel=01", "--min-time=0"}).budget.min_seconds, 0);
}

TEST(Options, NamesThatDoNotExistAreAnsweredWithThoseThatDo) {
  EXPECT_EQ(refusal({"--kernel=01", "--dtype=fp8"}), "--dtype=fp8 is not one of fp16, bf16");
  EXPECT_EQ(refusal({"--kernel=01", "--device=tpu"}), "--device=tpu is not one of auto, gpu, emulator");
  EXPECT_EQ(refusal({"--kernel=01", "--baseline=fa2,fa3"}), "--baseline=fa3 is not one of fa2, cudnn, standard");
  EXPECT_EQ(refusal({"--kernel=01", "--inputs=zeros"}),
            "--inputs=zeros is not one of normal, uniform, large, constant, onehot, tiny");
  EXPECT_EQ(refusal({"--kernel=01", "--dtype=fp16,"}), "--dtype= is not one of fp16, bf16");
}

TEST(Options, AllInputsAreAllDistributionsInTheirOrder) {
  EXPECT_THAT(parse({"--kernel=01", "--inputs=all"}).inputs, ElementsAreArray(all_distributions));
}

TEST(Options, OnlyHeadDim128IsCovered) {
  EXPECT_THAT(refusal({"--kernel=01", "--head-dim=64"}), AllOf(HasSubstr("--head-dim=64"), HasSubstr("128")));
  EXPECT_THAT(refusal({"--kernel=01", "--head-dim=x"}), HasSubstr("--head-dim=x"));
}

TEST(Options, UnknownOptionsAreAnsweredWithTheNearest) {
  EXPECT_THAT(refusal({"--kernal=01"}), AllOf(HasSubstr("--kernal"), HasSubstr("the nearest is --kernel")));
  EXPECT_THAT(refusal({"--kernel=01", "--bach=4"}), HasSubstr("the nearest is --batch"));
  EXPECT_THAT(refusal({"01_base"}), AllOf(HasSubstr("01_base"), HasSubstr("--kernel=")));
}

TEST(Options, ValuesMustBeThere) {
  EXPECT_THAT(refusal({"--kernel"}), HasSubstr("--kernel"));
  EXPECT_THAT(refusal({"--kernel="}), HasSubstr("--kernel"));
  EXPECT_THAT(refusal({"--kernel=01", "--json="}), HasSubstr("--json"));
  EXPECT_THAT(refusal({"--kernel=01", "--batch=1", "--batch=2"}), HasSubstr("--batch takes exactly one value"));
}

TEST(Options, AKernelMustBeChosen) {
  EXPECT_THAT(refusal({"--batch=2"}), HasSubstr("--kernel="));
  EXPECT_THAT(refusal({"--explain"}), HasSubstr("--kernel="));
}

TEST(Options, ModesThatContradictEachOtherAreRefused) {
  EXPECT_THAT(refusal({"--kernel=01", "--diff", "--explain"}), AllOf(HasSubstr("--diff"), HasSubstr("--explain")));
  EXPECT_THAT(refusal({"--kernel=01", "--check-only", "--profile"}), HasSubstr("--check-only and --profile"));
  EXPECT_THAT(refusal({"--kernel=01", "--diff", "--json=x.json"}), HasSubstr("--json=x.json"));
  EXPECT_THAT(refusal({"--list", "--json=x.json"}), HasSubstr("--json=x.json"));
  EXPECT_THAT(refusal({"--kernel=01", "--explain", "--baseline=fa2"}), HasSubstr("--baseline=fa2 and --explain"));
  EXPECT_THAT(refusal({"--kernel=01", "--diff", "--resume"}), HasSubstr("--resume and --diff"));
}

TEST(Options, ResumingNeedsAFile) {
  EXPECT_THAT(refusal({"--kernel=01", "--resume"}), AllOf(HasSubstr("--resume"), HasSubstr("--json=FILE")));
}

TEST(Options, RepeatingIsForCheckingAndTakesTwoLaunchesAtLeast) {
  EXPECT_THAT(refusal({"--kernel=01", "--repeat=9"}), AllOf(HasSubstr("--repeat=9"), HasSubstr("--check-only")));
  EXPECT_THAT(refusal({"--kernel=01", "--repeat=9", "--profile"}), HasSubstr("--repeat=9 is for --check-only"));
  EXPECT_THAT(refusal({"--kernel=01", "--check-only", "--repeat=1"}), HasSubstr("--repeat=1 is not a whole number"));
}

TEST(Options, OptionsOfTheOtherDeviceAreRefused) {
  EXPECT_THAT(refusal({"--kernel=01", "--device=gpu", "--host-threads=2"}), HasSubstr("--host-threads=2"));
  EXPECT_THAT(refusal({"--kernel=01", "--device=gpu", "--lane-order=2"}), HasSubstr("--lane-order=2"));
  EXPECT_THAT(refusal({"--kernel=01", "--device=emulator", "--samples=2"}), HasSubstr("--samples=2"));
  EXPECT_THAT(refusal({"--kernel=01", "--device=emulator", "--min-time=2"}), HasSubstr("--min-time=2"));
  EXPECT_THAT(refusal({"--kernel=01", "--device=emulator", "--baseline=fa2"}), HasSubstr("--baseline=fa2"));
}

// Selection, from a registry of its own, with a gap.
class SelectKernels : public testing::Test {
 protected:
  std::vector<std::string> names(const std::string& list) const {
    std::vector<std::string> result;
    for (const Kernel* kernel : select_kernels(list, kernels_)) result.push_back(kernel->name);
    return result;
  }

  std::string refusal(const std::string& list) const {
    try {
      select_kernels(list, kernels_);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  std::vector<Kernel> kernels_ = {{"01_base", "", "", {}, {}},
                                  {"02_swizzling", "", "", {}, {}},
                                  {"03_eager", "", "", {}, {}},
                                  {"09_moves", "", "", {}, {}}};
};

TEST_F(SelectKernels, ByNameNumberRangeAndAll) {
  EXPECT_THAT(names("02_swizzling"), ElementsAre("02_swizzling"));
  EXPECT_THAT(names("2"), ElementsAre("02_swizzling"));
  EXPECT_THAT(names("02"), ElementsAre("02_swizzling"));
  EXPECT_THAT(names("01-03"), ElementsAre("01_base", "02_swizzling", "03_eager"));
  EXPECT_THAT(names("2-9"), ElementsAre("02_swizzling", "03_eager", "09_moves"));
  EXPECT_THAT(names("3-3"), ElementsAre("03_eager"));
  EXPECT_THAT(names("all"), ElementsAre("01_base", "02_swizzling", "03_eager", "09_moves"));
}

TEST_F(SelectKernels, InTheOrderOfTheListAndEachOnce) {
  EXPECT_THAT(names("09,01-02,1"), ElementsAre("09_moves", "01_base", "02_swizzling"));
}

TEST_F(SelectKernels, UnknownNamesAreAnsweredWithTheNearestAndAll) {
  EXPECT_EQ(refusal("02_swizling"),
            "--kernel=02_swizling: no kernel has this name; the nearest is 02_swizzling, and there are 01_base, "
            "02_swizzling, 03_eager, 09_moves");
}

TEST_F(SelectKernels, NumbersThatNoKernelHasAreRefused) {
  for (const char* list : {"0", "4", "99", "0-3", "1-99", "1-4"}) {
    EXPECT_THAT(refusal(list), AllOf(HasSubstr(std::string("--kernel=") + list), HasSubstr("there are 01_base")))
        << list;
  }
}

TEST_F(SelectKernels, RangesRunForwards) { EXPECT_EQ(refusal("3-1"), "--kernel=3-1 runs backwards; 1-3 would work"); }

TEST_F(SelectKernels, MalformedListsAreRefused) {
  for (const char* list : {"", "1,", ",1", "1-", "-1", "1-2-3", "1..2", "99999999999"}) {
    EXPECT_NE(refusal(list), "accepted") << list;
  }
}

// Choices that no machine could run.
class Plan : public testing::Test {
 protected:
  static Variant variant(const char* config, int rows, int cols) {
    Variant variant{};
    variant.tile.config = config;
    variant.tile.tile_rows = rows;
    variant.tile.tile_cols = cols;
    return variant;
  }

  std::string refusal(const Options& options) const {
    try {
      check_choice({&kernel_}, options);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  Kernel kernel_{"07_autotune", "", "", {}, {variant("64x64", 64, 64), variant("128x32", 128, 32)}};
};

TEST_F(Plan, AConfigThatDoesNotExistIsAnsweredWithThoseThatDo) {
  Options options;
  options.config = "32x32";
  EXPECT_THAT(refusal(options),
              AllOf(HasSubstr("--config=32x32"), HasSubstr("07_autotune"), HasSubstr("64x64, 128x32")));
  options.config = "all";
  EXPECT_EQ(refusal(options), "accepted");
}

TEST_F(Plan, ASeqlenIsRefusedIfNoChosenTileDividesIt) {
  Options options;
  options.seqlens = {192};
  EXPECT_EQ(refusal(options), "accepted");  // 64x64 can
  options.config = "128x32";
  EXPECT_THAT(refusal(options), AllOf(HasSubstr("07_autotune 128x32"), HasSubstr("128 and 256 would work")));
}

TEST_F(Plan, ProfilingTakesOneKernelAndOneProblem) {
  Options options;
  options.mode = Mode::profile;
  options.seqlens = {128, 256};
  EXPECT_EQ(refusal(options), "--profile launches one length, and --seqlen has 2; --seqlen=128 would work");
  options.seqlens = {128};
  options.dtypes = {Dtype::bf16, Dtype::fp16};
  EXPECT_EQ(refusal(options), "--profile launches one type, and --dtype has 2; --dtype=bf16 would work");
  options.dtypes = {Dtype::bf16};
  options.inputs = {InputDistribution::large, InputDistribution::tiny};
  EXPECT_EQ(refusal(options), "--profile launches one distribution, and --inputs has 2; --inputs=large would work");
  options.inputs = {InputDistribution::large};
  EXPECT_EQ(refusal(options), "accepted");
  EXPECT_THROW(check_choice({&kernel_, &kernel_}, options), UsageError);
}

TEST_F(Plan, OptionsThatAreLeftOpenComeFromTheBackend) {
  Problem open;
  open.batch = 16;
  open.heads = 8;
  open.seqlen = 4096;
  EXPECT_THAT(problems_of(Options{}, open), ElementsAre(open));

  Options options;
  options.batch = 2;
  options.seqlens = {64, 128};
  options.seed = 9;
  Problem expected = open;
  expected.batch = 2;
  expected.seed = 9;
  expected.seqlen = 64;
  Problem second = expected;
  second.seqlen = 128;
  EXPECT_THAT(problems_of(options, open), ElementsAre(expected, second));
}

TEST_F(Plan, MachineCodeIsOfOneType) {
  Options options;
  options.mode = Mode::machine_code;
  options.dtypes = {Dtype::bf16, Dtype::fp16};
  EXPECT_THAT(refusal(options), HasSubstr("--dtype=bf16 would work"));
}

TEST_F(Plan, EachCombinationOfTypeDistributionAndLengthIsAProblem) {
  Options options;
  options.dtypes = {Dtype::fp16, Dtype::bf16};
  options.inputs = {InputDistribution::tiny, InputDistribution::normal};
  options.seqlens = {64, 128};
  std::vector<Problem> expected;
  for (Dtype dtype : options.dtypes) {
    for (InputDistribution inputs : options.inputs) {
      for (int seqlen : options.seqlens) expected.push_back({.seqlen = seqlen, .dtype = dtype, .inputs = inputs});
    }
  }
  EXPECT_THAT(problems_of(options, Problem{}), ElementsAreArray(expected));
}

TEST_F(Plan, TheBatchThatIsLeftOpenIsThePublishedOneOfEachLength) {
  Problem open;
  open.batch = 16;
  Options options;
  options.seqlens = {64, 512, 1024, 2048, 4096, 8192, 16384, 32768, 131072};
  const auto batches = [&] {
    std::vector<int> values;
    for (const Problem& problem : problems_of(options, open)) values.push_back(problem.batch);
    return values;
  };
  EXPECT_THAT(batches(), ElementsAre(16, 16, 16, 16, 16, 8, 4, 2, 1));
  open.batch = 1;  // the emulator's
  EXPECT_THAT(batches(), Each(1));
  options.batch = 16;
  EXPECT_THAT(batches(), Each(16));
}

TEST_F(Plan, SizesBeyondAnyMemoryAreRefusedBeforeTheyOverflow) {
  Options options;
  options.batch = 65535;
  options.heads = 65535;
  options.seqlens = {2147483584};
  EXPECT_THROW(problems_of(options, Problem{}), MachineError);
}

}  // namespace
}  // namespace flash_steps
