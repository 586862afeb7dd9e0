// What becomes of single pages: their text, their links, and what is refused of them.
#include <gmock/gmock.h>

#include "harness/base/error.h"
#include "harness/site/book/book.h"
#include "harness/site/book/links.h"
#include "harness/site/book/render.h"
#include "harness/site/book/search.h"
#include "harness/site/load_tools.h"
#include "harness/site/markup/html.h"
#include "harness/site/markup/quoted.h"
#include "harness/site/words.h"
#include "tests/site/browsed_site.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Page : public InTemporaryFolder {
 protected:
  void SetUp() override {
    if (!has_text_tools()) GTEST_SKIP() << no_text_tools;
    InTemporaryFolder::SetUp();
    std::filesystem::create_directories(folder_ / "docs" / "method");
    written("README.md", "# The first page\n\n## A part of it\n");
    written("docs/method/other.md", "# Another\n\n## What is counted\n");
  }

  // That of docs/page.md with this text.
  std::string article(const std::string& text) {
    written("docs/page.md", text);
    const Book book = read_book(folder_, kernels_, text_tools());
    Links links(book);
    return render_article(*book.find("docs/page.md"), links, text_tools());
  }

  std::string refusal(const std::string& text) {
    try {
      article(text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }

  std::vector<Kernel> kernels_;
};

TEST_F(Page, HtmlIsEscapedButForAFewTags) {
  EXPECT_THAT(article("a <script>alert(1)</script> b\n\n<div onclick=\"x\">c</div>\n"),
              AllOf(HasSubstr("&lt;script&gt;"), HasSubstr("&lt;div onclick="), Not(HasSubstr("<script")),
                    Not(HasSubstr("<div"))));
  EXPECT_THAT(article("<details>\n<summary>Answers</summary>\n\n1. `one`\n\n</details>\n"),
              AllOf(HasSubstr("<details>"), HasSubstr("<summary>Answers</summary>"), HasSubstr("<code>one</code>"),
                    HasSubstr("</details>")));
  EXPECT_THAT(article("<details onclick=\"x\">\n"), Not(HasSubstr("<details")));
  EXPECT_THAT(article("`a < b && c`\n"), HasSubstr("<code>a &lt; b &amp;&amp; c</code>"));
  EXPECT_THAT(article("<a id=\"sm\"></a>SM\n"), HasSubstr("<span class=\"anchor\" id=\"sm\"></span>SM"));
}

TEST_F(Page, CommentsDoNotShow) {
  EXPECT_THAT(article("one <!-- figure x -->two<!-- /figure -->\n"),
              AllOf(HasSubstr("one two"), Not(HasSubstr("!--"))));
}

TEST_F(Page, HeadingsHaveTheAnchorsOfGithub) {
  const std::string html = article("# A page\n\n## Q·Kᵀ: who does *what*?\n\n## The same\n\n## The same\n");
  EXPECT_THAT(html, HasSubstr("id=\"qkᵀ-who-does-what\""));
  EXPECT_THAT(html, AllOf(HasSubstr("id=\"the-same\""), HasSubstr("id=\"the-same-1\"")));
}

TEST_F(Page, LinksLeadToThePagesOfTheSite) {
  EXPECT_THAT(article("[it](method/other.md#what-is-counted)\n"),
              HasSubstr("href=\"method/other.html#what-is-counted\""));
  EXPECT_THAT(article("[it](../README.md)\n"), HasSubstr("href=\"index.html\""));
  EXPECT_THAT(article("[it](https://example.org/a)\n"), HasSubstr("class=\"out\" rel=\"noreferrer\""));
}

TEST_F(Page, AWordOfTheGlossaryLeadsToItsInstrument) {
  written("docs/method/words.md", "# Words\n\n<a id=\"bank-conflict\"></a>bank conflict\n");
  const std::string html = article("[one](method/words.md#bank-conflict), [two](method/words.md#bank-conflict)\n");
  EXPECT_THAT(html, HasSubstr("href=\"instruments/bank_map.html#word=ldmatrix_x4&amp;row=256&amp;swizzle=none\""));
  EXPECT_EQ(html.find("class=\"try\""), html.rfind("class=\"try\"")) << "once a page";
}

TEST_F(Page, ALinkThatLeadsNowhereIsNamedWithItsLine) {
  EXPECT_EQ(refusal("# A page\n\nsee\n[it](gone.md)\n"),
            "docs/page.md:4: it links to gone.md, and there is no docs/gone.md; a file that exists would work");
  EXPECT_EQ(refusal("# A page\n\n[it](method/other.md#what-is-cuonted)\n"),
            "docs/page.md:3: it links to #what-is-cuonted of docs/method/other.md, which has no such heading; the "
            "nearest is #what-is-counted");
  EXPECT_THAT(refusal("[it](../../outside.md)\n"), HasSubstr("docs/page.md:1: it links to"));
  EXPECT_THAT(refusal("# A\n\n![a picture](https://example.org/a.png)\n"), HasSubstr("docs/page.md:3: its image"));
}

TEST_F(Page, AMarkerThatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(refusal("# A page\n\n<!-- tabel -->\n<!-- /tabel -->\n"),
              AllOf(HasSubstr("docs/page.md:3: "), HasSubstr("<!-- table -->")));
  EXPECT_THAT(refusal("# A page\n\ntext\n\n<!-- bounds -->\n"), HasSubstr("docs/page.md:5: "));
}

TEST_F(Page, DetailsWithoutAnEndAreNamedWithTheirLine) {
  EXPECT_EQ(refusal("# A page\n\n<details>\n<summary>x</summary>\n"),
            "docs/page.md:3: a <details> of this page has no end; </details> on a line of its own would work");
}

TEST_F(Page, ALineOfAKernelThatDoesNotExistIsNamed) {
  EXPECT_EQ(refusal("# A page\n\nsee 99_none.cu:7\n"),
            "docs/page.md:3: it names line 7 of 99_none.cu, and there is no such kernel");
}

// Of the project's own kernels and pages.
TEST_F(Page, ALineOfAKernelIsALink) {
  const Book book = read_book(FLASH_STEPS_SOURCE_DIR, kernels(), text_tools());
  Links links(book);
  const Kernel& first = kernels().front();
  const BookPage& page = *book.find(&first);
  EXPECT_EQ(links.line(page, 1, first.name + ".cu", 3), "#L3");
  EXPECT_THAT(links.line(*book.find("README.md"), 1, first.name + ".cu", 3), HasSubstr(first.name + ".html#L3"));
  EXPECT_THROW(links.line(page, 1, first.name + ".cu", 100000), UsageError);
}

TEST(Quoted, LinesAreFoundWhereTheyStand) {
  const std::vector<std::string> source = {"int first = 1;", "for (;;) {", "  barrier_of_all();", "}",
                                           "int first = 1;"};
  EXPECT_THAT(quoted_lines({"int first = 1;"}, source), ElementsAre(1));
  EXPECT_THAT(quoted_lines({"  barrier_of_all();", "}"}, source), ElementsAre(3, 4));
  EXPECT_THAT(quoted_lines({"}", "not_there_at_all();"}, source), ElementsAre(0, 0));
  EXPECT_THAT(quoted_lines({"barrier_of_all();", "…", "int first = 1;"}, source), ElementsAre(3, 0, 5));
}

TEST(Words, TheCommentInFrontOfAWordExplainsIt) {
  const ExplainedWords words = explained_words(
      {"/// Two lines", "/// of it.", "template <typename T>", "__device__ __forceinline__ void copy_it(int a);", "",
       "/// Of nothing.", "", "__device__ int plain(int b);"},
      "kernels/isa.cuh");
  ASSERT_EQ(words.size(), 1u);
  EXPECT_EQ(words.at("copy_it").text, "Two lines of it.");
  EXPECT_EQ(words.at("copy_it").line, 4);
  EXPECT_THAT(names_in("  copy_it(a, copy_it);  // not this"), ElementsAre("copy_it", "a"));
}

TEST(Words, AllWordsOfTheKernelsAreExplained) {
  const ExplainedWords words = read_words(FLASH_STEPS_SOURCE_DIR);
  for (const char* word : {"ldmatrix_x4", "mma_m16n8k16", "cp_async_16", "barrier"}) {
    EXPECT_THAT(words, testing::Contains(testing::Key(word)));
  }
}

TEST_F(Page, TheIndexKnowsSectionsAndTheWordsOfTables) {
  written(
      "docs/page.md",
      "# A page\n\nIts swizzle.\n\n## Banks\n\nThirty-two.\n\n| word | is |\n| --- | --- |\n| <a id=\"sm\"></a>SM | a "
      "processor |\n");
  const Book book = read_book(folder_, kernels_, text_tools());
  const std::vector<SearchSection> sections = sections_of(*book.find("docs/page.md"));
  ASSERT_EQ(sections.size(), 3u);
  EXPECT_EQ(sections[0].address, "page.html");
  EXPECT_THAT(sections[0].text, HasSubstr("Its swizzle."));
  EXPECT_EQ(sections[1].address, "page.html#banks");
  EXPECT_EQ(sections[2].address, "page.html#sm");
  EXPECT_EQ(sections[2].title, "SM");
  EXPECT_THAT(search_index(sections), HasSubstr("\"processor\":[2,1]"));
}

TEST(Html, AddressesAreRelative) {
  EXPECT_EQ(address_from("index.html", "method/a.html"), "method/a.html");
  EXPECT_EQ(address_from("method/a.html", "index.html"), "../index.html");
  EXPECT_EQ(address_from("method/a.html", "method/b.html"), "b.html");
}

}  // namespace
}  // namespace flash_steps
