// What docs/results keeps was made of the code that the kernels have today.
#include <gtest/gtest.h>

#include "harness/base/text.h"
#include "harness/results/folder.h"
#include "harness/results/stale.h"

namespace flash_steps {
namespace {

TEST(StoredResults, AreOfTodaysKernels) {
  for (const StaleFile& file : stale_files(stored_results())) {
    if (file.is_of_todays_code) continue;
    ADD_FAILURE() << file.file.string() << ": " << join(file.reasons, "; ") << "; made by " << file.command;
  }
}

}  // namespace
}  // namespace flash_steps
