// The command line: what it means, and what it refuses.
#include "harness/runner/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/base/error.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

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
  EXPECT_EQ(o.settings.batch, 2);
  EXPECT_EQ(o.settings.heads, 3);
  EXPECT_THAT(o.settings.seqlens, ElementsAre(64, 128));
  EXPECT_THAT(o.settings.dtypes, ElementsAre(Dtype::bf16, Dtype::fp16));
  EXPECT_EQ(o.settings.seed, 18446744073709551615u);
  EXPECT_THAT(o.settings.inputs, ElementsAre(InputDistribution::onehot, InputDistribution::tiny));
  EXPECT_EQ(o.settings.config, "64x64");
  EXPECT_EQ(o.json, "out.json");
  EXPECT_EQ(o.settings.budget.min_samples, 7);
  EXPECT_EQ(o.settings.budget.min_seconds, 0.25);
  EXPECT_EQ(o.host_threads, 2);
  EXPECT_EQ(o.lane_order, 5u);
  EXPECT_EQ(o.settings.repeats, 250);
  EXPECT_THAT(o.settings.baselines, ElementsAre(Baseline::cudnn, Baseline::fa2));
  EXPECT_TRUE(o.resume);
}

TEST(Options, WhatIsLeftOpenStaysOpen) {
  const Options o = parse({"--kernel=01"});
  EXPECT_EQ(o.mode, Mode::measure);
  EXPECT_EQ(o.device, DeviceChoice::automatic);
  EXPECT_EQ(o.settings.batch, std::nullopt);
  EXPECT_TRUE(o.settings.dtypes.empty());
  EXPECT_TRUE(o.settings.inputs.empty());
  EXPECT_TRUE(o.settings.seqlens.empty());
  EXPECT_EQ(o.json, std::nullopt);
}

TEST(Options, AValueMayFollowAsAnArgumentOfItsOwn) {
  EXPECT_EQ(parse({"--kernel", "01", "--batch", "4"}).settings.batch, 4);
}

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
  EXPECT_EQ(parse({"--kernel=01", "--min-time=0"}).settings.budget.min_seconds, 0);
}

TEST(Options, NamesThatDoNotExistAreAnsweredWithThoseThatDo) {
  EXPECT_EQ(refusal({"--kernel=01", "--dtype=fp8"}), "--dtype=fp8 is not one of fp16, bf16");
  EXPECT_EQ(refusal({"--kernel=01", "--device=tpu"}), "--device=tpu is not one of auto, gpu, emulator");
  EXPECT_EQ(refusal({"--kernel=01", "--baseline=fa2,fa3"}),
            "--baseline=fa3 is not one of fa2, cudnn, standard, pytorch");
  EXPECT_EQ(refusal({"--kernel=01", "--inputs=zeros"}),
            "--inputs=zeros is not one of normal, uniform, large, constant, onehot, tiny, negative, positive, "
            "creeping");
  EXPECT_EQ(refusal({"--kernel=01", "--dtype=fp16,"}), "--dtype= is not one of fp16, bf16");
}

TEST(Options, AllInputsAreAllDistributionsInTheirOrder) {
  EXPECT_THAT(parse({"--kernel=01", "--inputs=all"}).settings.inputs, ElementsAreArray(all_distributions));
}

TEST(Options, AllStandsForAllAlsoAmongOthers) {
  EXPECT_THAT(parse({"--kernel=01", "--inputs=onehot,all"}).settings.inputs, SizeIs(std::size(all_distributions)));
  EXPECT_EQ(parse({"--kernel=01", "--inputs=onehot,all"}).settings.inputs.front(), InputDistribution::onehot);
  EXPECT_THAT(parse({"--kernel=01", "--dtype=all"}).settings.dtypes, ElementsAreArray(all_dtypes));
}

TEST(Options, ALengthCountsOnce) {
  EXPECT_THAT(parse({"--kernel=01", "--seqlen=64,128,64"}).settings.seqlens, ElementsAre(64, 128));
}

TEST(Options, OtherKindsOfProblemsCanBeAskedFor) {
  const Settings settings = parse({"--kernel=01", "--causal", "--dropout=0.25", "--head-dim=64", "--seqlen-kv=512",
                                   "--kv-heads=2", "--padding=20", "--pass=backward"})
                                .settings;
  EXPECT_EQ(settings.mask, Mask::causal);
  EXPECT_EQ(settings.dropout, 0.25);
  EXPECT_EQ(settings.head_dim, 64);
  EXPECT_EQ(settings.seqlen_kv, 512);
  EXPECT_EQ(settings.kv_heads, 2);
  EXPECT_EQ(settings.padding, 20);
  EXPECT_EQ(settings.pass, Pass::backward);
  EXPECT_THAT(refusal({"--kernel=01", "--head-dim=x"}), HasSubstr("--head-dim=x"));
  for (const char* argument : {"--dropout=1", "--dropout=-0.1", "--dropout=nan", "--dropout=x"}) {
    EXPECT_THAT(refusal({"--kernel=01", argument}), AllOf(HasSubstr(argument), HasSubstr("from 0 to below 1")));
  }
  EXPECT_THAT(refusal({"--kernel=01", "--padding=-1"}), HasSubstr("--padding=-1 is not a whole number from 0"));
  EXPECT_EQ(refusal({"--kernel=01", "--pass=sideways"}), "--pass=sideways is not one of forward, backward, both");
}

TEST(Options, FlagsTakeNoValue) {
  for (const char* argument : {"--list=3", "--explain=3", "--check-only=-1", "--table=x"}) {
    const std::string flag = split(argument, '=')[0];
    EXPECT_EQ(refusal({"--kernel=01", argument}), flag + " takes no value; " + flag + " alone would work");
  }
}

TEST(Options, AnEmptyValueDoesNotTakeTheNextWord) {
  EXPECT_EQ(refusal({"--kernel=01", "--json=", "--check-only"}),
            "--json is given without a value; --help shows its values");
  EXPECT_EQ(refusal({"--kernel=", "01"}), "--kernel is given without a value; --help shows its values");
}

TEST(Options, WhatAModeWouldIgnoreIsRefused) {
  EXPECT_EQ(refusal({"--list", "--config=zz"}), "--config=zz and --list do not go together; leave one of them out");
  EXPECT_EQ(refusal({"--table", "--seqlen=64"}), "--seqlen=64 and --table do not go together; leave one of them out");
  EXPECT_EQ(refusal({"--table", "--device=gpu"}), "--device=gpu and --table do not go together; leave one of them out");
  EXPECT_EQ(refusal({"--kernel=01", "--diff", "--causal"}),
            "--causal and --diff do not go together; leave one of them out");
  EXPECT_EQ(refusal({"--kernel=01", "--explain", "--samples=3"}),
            "--samples=3 and --explain do not go together; leave one of them out");
}

TEST(Options, ExplainingIsForTheEmulator) {
  EXPECT_EQ(refusal({"--kernel=01", "--explain", "--device=gpu"}),
            "--explain runs on the emulator, which alone counts by line; --device=emulator would work");
}

TEST(Options, BehindTwoDashesComeFiles) {
  EXPECT_THAT(parse({"--table", "--", "a.json", "--b.json"}).files, ElementsAre("a.json", "--b.json"));
  EXPECT_THAT(refusal({"--kernel=01", "--", "a.json"}), HasSubstr("\"a.json\" is not an option"));
}

TEST(Options, HelpFitsThePage) {
  for (const char* width : {"80", "100", "200"}) {
    setenv("COLUMNS", width, 1);
    for (const std::string& line : split(parse({"--help"}).help, '\n')) {
      if (line.find("--seqlen=512,1024") != std::string::npos) continue;  // a command, which must stay in one piece
      EXPECT_LE(width_of(line), std::atoi(width)) << line;
    }
  }
  unsetenv("COLUMNS");
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
  EXPECT_THAT(refusal({"--diff", "--kernel=02", "--json=x.json"}), HasSubstr("--json=x.json"));
  EXPECT_THAT(refusal({"--kernel=01", "--explain", "--baseline=fa2"}), HasSubstr("--baseline=fa2 and --explain"));
  EXPECT_THAT(refusal({"--kernel=01", "--diff", "--resume"}), HasSubstr("--resume and --diff"));
}

TEST(Options, ResumingNeedsAFile) {
  EXPECT_THAT(refusal({"--kernel=01", "--resume"}), AllOf(HasSubstr("--resume"), HasSubstr("--json=FILE")));
}

TEST(Options, RepeatingIsForCheckingAndTakesTwoLaunchesAtLeast) {
  EXPECT_THAT(refusal({"--kernel=01", "--repeat=9"}), AllOf(HasSubstr("--repeat=9"), HasSubstr("--check-only")));
  EXPECT_THAT(refusal({"--kernel=01", "--repeat=9", "--profile"}), HasSubstr("--repeat=9 and --profile"));
  EXPECT_THAT(refusal({"--kernel=01", "--check-only", "--repeat=1"}), HasSubstr("--repeat=1 is not a whole number"));
}

TEST(Options, OptionsOfTheOtherDeviceAreRefused) {
  EXPECT_THAT(refusal({"--kernel=01", "--device=gpu", "--host-threads=2"}), HasSubstr("--host-threads=2"));
  EXPECT_THAT(refusal({"--kernel=01", "--device=gpu", "--lane-order=2"}), HasSubstr("--lane-order=2"));
  EXPECT_THAT(refusal({"--kernel=01", "--device=emulator", "--samples=2"}), HasSubstr("--samples=2"));
  EXPECT_THAT(refusal({"--kernel=01", "--device=emulator", "--min-time=2"}), HasSubstr("--min-time=2"));
  EXPECT_THAT(refusal({"--kernel=01", "--device=emulator", "--baseline=fa2"}), HasSubstr("--baseline=fa2"));
}

}  // namespace
}  // namespace flash_steps
