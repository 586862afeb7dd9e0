#include "harness/predict/code/compressed.h"

#include <zlib.h>

#include <cstdint>
#include <stdexcept>

namespace flash_steps {
namespace {

constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uLong most_bytes = 64 << 20;  // of a text; a kernel's is a hundred thousand

[[noreturn]] void refuse() { throw std::runtime_error("is no compressed text"); }

std::string in_base_64(const std::string& bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += digits[bits >> (count - 6) & 63];
  }
  if (count > 0) text += digits[bits << (6 - count) & 63];
  return text;
}

std::string from_base_64(const std::string& text) {
  static const std::string all = digits;
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = all.find(c);
    if (digit == std::string::npos) refuse();
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 255);
  }
  return bytes;
}

}  // namespace

std::string compressed(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string bytes(size, '\0');
  const int code = compress2(reinterpret_cast<Bytef*>(bytes.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                             text.size(), Z_BEST_COMPRESSION);
  if (code != Z_OK) throw std::runtime_error("zlib could not compress a text");
  bytes.resize(size);
  return std::to_string(text.size()) + ":" + in_base_64(bytes);
}

std::string decompressed(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon > 9) refuse();
  if (text.find_first_not_of("0123456789") != colon) refuse();
  uLongf size = std::stoul(text.substr(0, colon));
  if (size > most_bytes) refuse();
  const uLongf expected = size;
  const std::string bytes = from_base_64(text.substr(colon + 1));
  std::string whole(size, '\0');
  const int code = uncompress(reinterpret_cast<Bytef*>(whole.data()), &size,
                              reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  if (code != Z_OK || size != expected) refuse();
  return whole;
}

}  // namespace flash_steps
