#include "harness/site/site.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/folders.h"
#include "harness/base/parallel.h"
#include "harness/site/book/book.h"
#include "harness/site/book/links.h"
#include "harness/site/book/render.h"
#include "harness/site/book/search.h"
#include "harness/site/data.h"
#include "harness/site/frame.h"
#include "harness/site/instruments/instruments.h"
#include "harness/site/load_tools.h"
#include "harness/site/markup/html.h"
#include "harness/site/sources.h"
#include "harness/site/step/step.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

void add_assets(SiteFiles& files) {
  const fs::path folder = source_folder() / "harness/site/assets";
  for (const auto& entry : fs::directory_iterator(folder)) {
    files["assets/" + entry.path().filename().string()] = read_file(entry.path());
  }
}

void add_images(const fs::path& root, const std::set<fs::path>& images, SiteFiles& files) {
  for (const fs::path& image : images) {
    const std::string name = "img/" + image.filename().string();
    if (files.contains(name)) {
      throw UsageError(image.string() + " has the name of another image; a name of its own would work");
    }
    files[name] = read_file(root / image);
  }
}

// Of a kernel that has come before its page.
std::string no_text(const BookPage& page) {
  return "<h1>" + escaped(page.title()) + "</h1>\n<p>There is no page about this kernel yet.</p>\n";
}

std::string index_of(const Book& book) {
  std::vector<SearchSection> sections;
  for (const BookPage& page : book.pages) {
    const std::vector<SearchSection> more = sections_of(page);
    sections.insert(sections.end(), more.begin(), more.end());
  }
  return search_index(sections);
}

}  // namespace

MadeSite make_site(const fs::path& root, const std::vector<Kernel>& kernels) {
  const TextTools& tools = text_tools();
  const Book book = read_book(root, kernels, tools);
  const SiteData data = read_site_data(root);
  MadeSite site{{}, data.complaints};
  const std::vector<Framed> instruments = make_instruments(kernels, data, site.files);
  std::vector<ExtraPage> extra;
  for (const Framed& page : instruments) extra.push_back({page.file, page.title});
  const Frame frame(book, extra);
  Links links(book);
  for (const BookPage& page : book.pages) {
    Framed framed;
    framed.file = page.file;
    framed.title = page.title();
    framed.kind = page.kernel != nullptr ? "step" : "prose";
    framed.main =
        "<article>\n" + (page.text.empty() ? no_text(page) : render_article(page, links, tools)) + "</article>\n";
    if (page.kernel != nullptr) {
      framed.aside = render_step(*page.kernel, page.file, data, tools, site.files);
      framed.scripts = {"step.js"};
    }
    site.files[page.file] = frame.render(framed);
  }
  for (const Framed& page : instruments) site.files[page.file] = frame.render(page);
  for (const fs::path& source : links.linked()) {
    const Framed page = source_page(root, source, links.linked(), tools);
    site.files[page.file] = frame.render(page);
  }
  add_images(root, links.images(), site.files);
  add_assets(site.files);
  site.files["assets/search_index.js"] = index_of(book);
  return site;
}

}  // namespace flash_steps
