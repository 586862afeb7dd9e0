#include "harness/contract/select.h"

#include <fnmatch.h>

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

bool is_pattern(const std::string& item) { return item.find_first_of("*?[") != std::string::npos; }

bool fits(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

// "01_base to 16_static_stride, p01_standard to p12_q_registers": all names would be too many to read.
std::string names_there_are(const std::vector<Kernel>& kernels) {
  std::vector<std::string> parts;
  for (const Chapter& chapter : chapters()) {
    const std::vector<const Kernel*> of = of_chapter(chapter.name, kernels);
    if (of.empty()) continue;
    parts.push_back(of.front()->name + (of.size() > 1 ? " to " + of.back()->name : ""));
  }
  return "there are " + join(parts);
}

class Selection {
 public:
  Selection(const std::string& list, const std::vector<Kernel>& kernels) : kernels_(kernels) {
    for (const std::string& item : split(list, ',')) add_item(item);
  }

  std::vector<const Kernel*> selected;

 private:
  void add(const Kernel* kernel) {
    if (std::find(selected.begin(), selected.end(), kernel) == selected.end()) selected.push_back(kernel);
  }

  [[noreturn]] void refuse(const std::string& item, const std::string& reason) const {
    throw UsageError("--kernel=" + item + ": " + reason + "; " + names_there_are(kernels_));
  }

  // "7", "07" or "p3": nullptr if it is no number, and a refusal if no kernel has it.
  const Kernel* by_number(const std::string& item, const std::string& text) const {
    for (const Chapter& chapter : chapters()) {
      const size_t at = chapter.prefix.size();
      const bool is_number = text.starts_with(chapter.prefix) && text.size() > at && text.size() <= at + 4 &&
                             std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_digit);
      if (!is_number) continue;
      const int number = std::stoi(text.substr(at));
      for (const Kernel& kernel : kernels_) {
        if (kernel.chapter->prefix == chapter.prefix && kernel.number == number) return &kernel;
      }
      refuse(item, "no kernel has the number " + text);
    }
    return nullptr;
  }

  void add_item(const std::string& item) {
    if (add_chapter(item) || add_range(item) || add_pattern(item)) return;
    if (const Kernel* kernel = find_kernel(item, kernels_)) return add(kernel);
    if (const Kernel* kernel = by_number(item, item)) return add(kernel);
    std::vector<std::string> all, names, begin;
    for (const Kernel& kernel : kernels_) {
      all.push_back(kernel.name);
      if (!item.empty() && kernel.name.find(item) != std::string::npos) names.push_back(kernel.name);
      if (!item.empty() && kernel.name.starts_with(item)) begin.push_back(kernel.name);
    }
    if (begin.size() == 1) names = begin;  // 02_ is that of 02_swizzling, though a part of p02_online
    if (names.size() == 1) return add(find_kernel(names.front(), kernels_));
    if (names.size() > 1) {
      throw UsageError("--kernel=" + item + " is a part of several names, " + join(names) + "; one of them, or *" +
                       item + "* for all of them, would work");
    }
    refuse(item, "no kernel has this name; the nearest is " + nearest(item, all));
  }

  bool add_chapter(const std::string& item) {
    const auto named = [&](const Chapter& chapter) { return chapter.name == item; };
    if (std::none_of(chapters().begin(), chapters().end(), named)) return false;
    const std::vector<const Kernel*> of = of_chapter(item, kernels_);
    if (of.empty()) refuse(item, "this chapter has no kernels yet");
    for (const Kernel* kernel : of) add(kernel);
    return true;
  }

  bool add_range(const std::string& item) {
    const std::vector<std::string> ends = split(item, '-');
    if (ends.size() != 2) return false;
    const Kernel* const first = by_number(item, ends[0]);
    const Kernel* const last = first == nullptr ? nullptr : by_number(item, ends[1]);
    if (last == nullptr) return false;
    if (first > last) {
      throw UsageError("--kernel=" + item + " runs backwards; " + ends[1] + "-" + ends[0] + " would work");
    }
    for (const Kernel* kernel = first; kernel <= last; kernel++) add(kernel);
    return true;
  }

  bool add_pattern(const std::string& item) {
    if (!is_pattern(item)) return false;
    const size_t before = selected.size();
    bool any = false;
    for (const Kernel& kernel : kernels_) {
      if (!fits(item, kernel.name)) continue;
      any = true;
      add(&kernel);
    }
    if (!any && selected.size() == before) refuse(item, "no kernel's name fits this pattern");
    return true;
  }

  const std::vector<Kernel>& kernels_;
};

}  // namespace

std::vector<const Kernel*> select_kernels(const std::string& list, const std::vector<Kernel>& kernels) {
  return Selection(list, kernels).selected;
}

std::vector<std::string> select_configs(const std::string& list, const std::vector<std::string>& configs) {
  if (list.empty() || list == "all") return configs;
  const std::vector<std::string> items = split(list, ',');
  std::vector<std::string> chosen;
  std::copy_if(configs.begin(), configs.end(), std::back_inserter(chosen), [&](const std::string& config) {
    return std::any_of(items.begin(), items.end(), [&](const std::string& item) {
      return item == "all" || item == config || (is_pattern(item) && fits(item, config));
    });
  });
  return chosen;
}

}  // namespace flash_steps
