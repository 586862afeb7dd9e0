#include "harness/site/text/markdown.h"

#include <md4c.h>

#include <algorithm>
#include <stdexcept>

namespace flash_steps {
namespace {

using Type = MarkdownNode::Type;

std::string text_of(const MD_ATTRIBUTE& attribute) { return {attribute.text, attribute.size}; }

// md4c tells what it finds from the beginning to the end of the page; this puts it into a tree.
class Builder {
 public:
  explicit Builder(const std::string& page) : page_(page) { open_.push_back(&document_); }

  void enter(MarkdownNode node) {
    open_.back()->children.push_back(std::move(node));
    open_.push_back(&open_.back()->children.back());
  }

  void leave() {
    MarkdownNode& node = *open_.back();
    for (const MarkdownNode& child : node.children) {
      if (node.line == 0) node.line = child.line;
    }
    open_.pop_back();
  }

  void text(Type type, const char* begin, size_t size) {
    open_.back()->children.push_back({.type = type, .text = {begin, size}, .line = line_of(begin)});
  }

  MarkdownNode take() {
    leave();
    return std::move(document_);
  }

 private:
  // Texts point into the page, but for the few that md4c makes up.
  int line_of(const char* at) const {
    if (at < page_.data() || at >= page_.data() + page_.size()) return 0;
    return 1 + static_cast<int>(std::count(page_.data(), at, '\n'));
  }

  const std::string& page_;
  MarkdownNode document_;
  std::vector<MarkdownNode*> open_;
};

const char* name_of(MD_ALIGN align) {
  switch (align) {
    case MD_ALIGN_LEFT:
      return "left";
    case MD_ALIGN_CENTER:
      return "center";
    case MD_ALIGN_RIGHT:
      return "right";
    default:
      return "";
  }
}

MarkdownNode cell(Type type, const void* detail) {
  return {.type = type, .target = name_of(static_cast<const MD_BLOCK_TD_DETAIL*>(detail)->align)};
}

MarkdownNode block(MD_BLOCKTYPE type, const void* detail) {
  switch (type) {
    case MD_BLOCK_QUOTE:
      return {.type = Type::quote};
    case MD_BLOCK_UL:
      return {.type = Type::list, .tight = static_cast<const MD_BLOCK_UL_DETAIL*>(detail)->is_tight != 0};
    case MD_BLOCK_OL: {
      const auto* list = static_cast<const MD_BLOCK_OL_DETAIL*>(detail);
      return {.type = Type::ordered_list, .level = static_cast<int>(list->start), .tight = list->is_tight != 0};
    }
    case MD_BLOCK_LI:
      return {.type = Type::item};
    case MD_BLOCK_HR:
      return {.type = Type::rule};
    case MD_BLOCK_H:
      return {.type = Type::heading, .level = static_cast<int>(static_cast<const MD_BLOCK_H_DETAIL*>(detail)->level)};
    case MD_BLOCK_CODE:
      return {.type = Type::code_block, .language = text_of(static_cast<const MD_BLOCK_CODE_DETAIL*>(detail)->lang)};
    case MD_BLOCK_HTML:
      return {.type = Type::html_block};
    case MD_BLOCK_TABLE:
      return {.type = Type::table};
    case MD_BLOCK_THEAD:
      return {.type = Type::table_head};
    case MD_BLOCK_TBODY:
      return {.type = Type::table_body};
    case MD_BLOCK_TR:
      return {.type = Type::table_row};
    case MD_BLOCK_TH:
      return cell(Type::table_head_cell, detail);
    case MD_BLOCK_TD:
      return cell(Type::table_cell, detail);
    default:
      return {.type = Type::paragraph};
  }
}

MarkdownNode span(MD_SPANTYPE type, const void* detail) {
  switch (type) {
    case MD_SPAN_STRONG:
      return {.type = Type::strong};
    case MD_SPAN_A:
      return {.type = Type::link, .target = text_of(static_cast<const MD_SPAN_A_DETAIL*>(detail)->href)};
    case MD_SPAN_IMG:
      return {.type = Type::image, .target = text_of(static_cast<const MD_SPAN_IMG_DETAIL*>(detail)->src)};
    case MD_SPAN_CODE:
      return {.type = Type::code};
    case MD_SPAN_DEL:
      return {.type = Type::struck};
    default:
      return {.type = Type::emphasis};
  }
}

Type text_type(MD_TEXTTYPE type) {
  switch (type) {
    case MD_TEXT_BR:
      return Type::line_break;
    case MD_TEXT_SOFTBR:
      return Type::soft_break;
    case MD_TEXT_ENTITY:
      return Type::entity;
    case MD_TEXT_HTML:
      return Type::html;
    default:
      return Type::text;
  }
}

}  // namespace

MarkdownNode parse_markdown(const std::string& page) {
  Builder builder(page);
  MD_PARSER parser{};
  parser.flags = MD_DIALECT_GITHUB;
  parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* builder) {
    if (type != MD_BLOCK_DOC) static_cast<Builder*>(builder)->enter(block(type, detail));
    return 0;
  };
  parser.leave_block = [](MD_BLOCKTYPE type, void*, void* builder) {
    if (type != MD_BLOCK_DOC) static_cast<Builder*>(builder)->leave();
    return 0;
  };
  parser.enter_span = [](MD_SPANTYPE type, void* detail, void* builder) {
    static_cast<Builder*>(builder)->enter(span(type, detail));
    return 0;
  };
  parser.leave_span = [](MD_SPANTYPE, void*, void* builder) {
    static_cast<Builder*>(builder)->leave();
    return 0;
  };
  parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* builder) {
    static_cast<Builder*>(builder)->text(text_type(type), text, size);
    return 0;
  };
  if (md_parse(page.data(), static_cast<MD_SIZE>(page.size()), &parser, &builder) != 0) {
    throw std::runtime_error("md4c could not read the page: its memory did not suffice");
  }
  return builder.take();
}

}  // namespace flash_steps
