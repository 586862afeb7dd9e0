#include "harness/site/text/difference.h"

#include <algorithm>
#include <dtl/dtl.hpp>

namespace flash_steps {

std::vector<Edit> edits(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  dtl::Diff<std::string, std::vector<std::string>> diff(before, after);
  diff.compose();
  std::vector<Edit> list;
  for (const auto& [text, info] : diff.getSes().getSequence()) {
    const Edit::Kind kind = info.type == dtl::SES_COMMON   ? Edit::Kind::same
                            : info.type == dtl::SES_DELETE ? Edit::Kind::removed
                                                           : Edit::Kind::added;
    list.push_back({kind, text});
  }
  for (auto begin = list.begin(); begin != list.end();) {
    const auto changed =
        std::find_if(begin, list.end(), [](const Edit& edit) { return edit.kind != Edit::Kind::same; });
    begin = std::find_if(changed, list.end(), [](const Edit& edit) { return edit.kind == Edit::Kind::same; });
    std::stable_partition(changed, begin, [](const Edit& edit) { return edit.kind == Edit::Kind::removed; });
  }
  return list;
}

}  // namespace flash_steps
