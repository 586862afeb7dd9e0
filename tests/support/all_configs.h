// For tests that ask for other configs than the default ones, which a build may have left out.
#pragma once

#include <gtest/gtest.h>

/// At the beginning of such a test.
#define NEEDS_ALL_CONFIGS() \
  if (!FLASH_STEPS_EMULATOR_ALL_CONFIGS) GTEST_SKIP() << "this build has the default configs alone"
