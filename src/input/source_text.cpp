#include "input/source_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace tokenyard::input {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// Length of the UTF-8 sequence that `rest` begins with, or 0 when it is none (overlong forms and
// surrogates included).
std::size_t utf8_length(std::string_view rest) {
  const auto first = static_cast<unsigned char>(rest.front());
  if (first < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t code = 0;
  if ((first & 0xe0U) == 0xc0U) {
    length = 2;
    code = first & 0x1fU;
  } else if ((first & 0xf0U) == 0xe0U) {
    length = 3;
    code = first & 0x0fU;
  } else if ((first & 0xf8U) == 0xf0U) {
    length = 4;
    code = first & 0x07U;
  }
  if (length == 0 || rest.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(rest[i])) return 0;
    code = (code << 6U) | (static_cast<unsigned char>(rest[i]) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code >= kSmallest[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

std::string hex_byte(char c) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  const auto u = static_cast<unsigned char>(c);
  return {'0', 'x', kDigits[u >> 4U], kDigits[u & 15U]};
}

}  // namespace

SourceText::SourceText(std::string name, std::string_view text) : name_(std::move(name)) {
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines_.push_back(line);
    begin = end + 1;
  }
  // What follows the last newline is a line only when something stands in it.
  if (lines_.size() > 1 && lines_.back().empty()) lines_.pop_back();
}

std::string_view SourceText::line(int index) const {
  const bool exists = index >= 0 && static_cast<std::size_t>(index) < lines_.size();
  return exists ? lines_[static_cast<std::size_t>(index)] : std::string_view();
}

int SourceText::characters_before(std::size_t line, std::size_t byte_column) const {
  if (line != last_line_ || byte_column < last_byte_) {
    last_line_ = line;
    last_byte_ = 0;
    last_characters_ = 0;
  }
  const std::string_view text = lines_[line];
  for (; last_byte_ < std::min(byte_column, text.size()); ++last_byte_) {
    if (!is_continuation(text[last_byte_])) ++last_characters_;
  }
  return last_characters_;
}

Place SourceText::place(int line, int byte_column) const {
  // A place is copied with every value; of a long line only the beginning is kept, and only for
  // those who point into it.
  constexpr std::size_t kLongestListing = 160;
  std::size_t index = line > 0 ? static_cast<std::size_t>(line) : 0;
  std::size_t column = byte_column > 0 ? static_cast<std::size_t>(byte_column) : 0;
  if (index >= lines_.size()) {
    index = lines_.size() - 1;
    column = lines_[index].size();
  }
  std::string_view listing = column < kLongestListing ? lines_[index] : std::string_view();
  if (listing.size() > kLongestListing) {
    std::size_t end = kLongestListing;
    while (end > 0 && is_continuation(listing[end])) --end;
    listing = listing.substr(0, end);
  }
  return {.file = name_,
          .line = static_cast<int>(index) + 1,
          .column = characters_before(index, column) + 1,
          .source_line = std::string(listing)};
}

Place SourceText::whole() const {
  return {.file = name_, .line = 0, .column = 0, .source_line = {}};
}

bool SourceText::report_bad_bytes(Diagnostics& diagnostics) const {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    std::string_view rest = lines_[i];
    while (!rest.empty()) {
      const char c = rest.front();
      const std::size_t length = utf8_length(rest);
      const bool control =
          (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7f;
      if (length == 0 || control) {
        Place at = place(static_cast<int>(i), static_cast<int>(lines_[i].size() - rest.size()));
        at.source_line.clear();  // would print the bad bytes
        diagnostics.add(std::move(at), "",
                        length == 0
                            ? "invalid UTF-8 (byte " + hex_byte(c) + "); save the file as UTF-8"
                            : "control character " + hex_byte(c) + "; expected plain text");
        return true;
      }
      rest.remove_prefix(length);
    }
  }
  return false;
}

}  // namespace tokenyard::input
