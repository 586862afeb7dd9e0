#include "harness/site/frame.h"

#include <algorithm>

#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

// Set before the first paint, so that a page that is to be dark does not flash. What is chosen stays on this machine.
constexpr const char* theme_script =
    "try{var t=localStorage.getItem('theme');if(t)document.documentElement.dataset.theme=t}catch(e){}"
    "document.documentElement.classList.add('js')";

std::string entry(const std::string& from, const std::string& to, const std::string& label) {
  const std::string here = from == to ? " aria-current=\"page\"" : "";
  return "<li><a href=\"" + escaped(address_from(from, to)) + "\"" + here + ">" + escaped(label) + "</a></li>\n";
}

// Without the mark in front of what is said: "09_register_moves: results land where …".
std::string short_title(const BookPage& page) {
  const std::string title = page.title();
  const size_t colon = title.find(": ");
  return page.kernel != nullptr && colon != std::string::npos ? page.label + ": " + title.substr(colon + 2) : title;
}

}  // namespace

std::string Frame::contents(const std::string& file) const {
  std::string html = "<nav id=\"contents\" class=\"contents\" aria-label=\"Contents\">\n<ul>\n";
  std::string group;
  bool instruments_done = false;
  const auto open_group = [&](const std::string& name) { html += "</ul>\n<h2>" + escaped(name) + "</h2>\n<ul>\n"; };
  const auto add_instruments = [&] {
    if (instruments_.empty() || instruments_done) return;
    open_group("Instruments");
    for (const ExtraPage& extra : instruments_) html += entry(file, extra.file, extra.label);
    instruments_done = true;
  };
  for (const BookPage& page : book_.pages) {
    if (page.group != group) {
      if (page.kernel == nullptr) add_instruments();
      group = page.group;
      open_group(group);
    }
    html += entry(file, page.file, page.source == "README.md" ? "flash-steps" : page.label);
  }
  add_instruments();
  return html + "</ul>\n</nav>\n";
}

std::string Frame::neighbours(const std::string& file) const {
  const auto& pages = book_.pages;
  const auto here = std::find_if(pages.begin(), pages.end(), [&](const BookPage& page) { return page.file == file; });
  if (here == pages.end()) return "";
  std::string html = "<nav class=\"neighbours\" aria-label=\"Previous and next\">\n";
  if (here != pages.begin()) {
    html += "<a rel=\"prev\" href=\"" + escaped(address_from(file, (here - 1)->file)) + "\"><small>Previous</small>" +
            escaped(short_title(*(here - 1))) + "</a>\n";
  }
  if (here + 1 != pages.end()) {
    html += "<a rel=\"next\" href=\"" + escaped(address_from(file, (here + 1)->file)) + "\"><small>Next</small>" +
            escaped(short_title(*(here + 1))) + "</a>\n";
  }
  return html + "</nav>\n";
}

std::string Frame::render(const Framed& page) const {
  const auto address = [&](const std::string& file) { return escaped(address_from(page.file, file)); };
  std::string root;  // the way to the site's folder, for scripts
  for (const char c : page.file) root += c == '/' ? "../" : "";
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<title>" + escaped(page.title) + (page.file == "index.html" ? "" : " · flash-steps") + "</title>\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += "<meta name=\"color-scheme\" content=\"light dark\">\n";
  html += "<link rel=\"icon\" href=\"" + address("assets/icon.svg") + "\">\n";
  html += "<link rel=\"stylesheet\" href=\"" + address("assets/style.css") + "\">\n";
  html += "<script>" + std::string(theme_script) + "</script>\n";
  html += "<script defer src=\"" + address("assets/book.js") + "\"></script>\n";
  for (const std::string& script : page.scripts) {
    html += "<script defer src=\"" + address("assets/" + script) + "\"></script>\n";
  }
  html += "</head>\n<body class=\"" + page.kind + "\" data-root=\"" + root + "\">\n";
  html += "<a class=\"skip\" href=\"#main\">To the text</a>\n<header class=\"bar\">\n";
  html +=
      "<button type=\"button\" id=\"contents-button\" aria-expanded=\"false\" aria-controls=\"contents\">"
      "<span aria-hidden=\"true\">☰</span> Contents</button>\n";
  html += "<a class=\"name\" href=\"" + address("index.html") + "\">flash-steps</a>\n";
  if (page.kind == "step") html += "<a class=\"to-kernel\" href=\"#kernel\">Kernel ↓</a>\n";
  html +=
      "<form role=\"search\" class=\"search\"><label for=\"search\">Search</label><input id=\"search\" "
      "type=\"search\" autocomplete=\"off\" placeholder=\"Search\" aria-controls=\"found\" aria-keyshortcuts=\"/\">"
      "<div id=\"found\" role=\"region\" aria-label=\"Search results\" aria-live=\"polite\" hidden></div></form>\n";
  html += "<button type=\"button\" id=\"theme-button\">Dark</button>\n</header>\n";
  html += "<div class=\"page\">\n" + contents(page.file);
  html += "<main id=\"main\" tabindex=\"-1\">\n" + page.main + (page.in_contents ? neighbours(page.file) : "") +
          "</main>\n" + page.aside + "</div>\n</body>\n</html>\n";
  return html;
}

}  // namespace flash_steps
