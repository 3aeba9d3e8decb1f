#pragma once
// The text of one file, cut into lines, so that a message can say where something stands.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tokenyard::input {

class SourceText {
 public:
  // Keeps a view of `text`.  A byte order mark must have been removed.
  SourceText(std::string name, std::string_view text);

  // Of a position counted from 0 in lines and bytes, as yaml-cpp counts.  Beyond the last line: its
  // end.
  [[nodiscard]] Place place(int line, int byte_column) const;
  // Of the file as a whole.
  [[nodiscard]] Place whole() const;
  [[nodiscard]] std::string_view line(int index) const;  // "" beyond the end
  [[nodiscard]] int line_count() const { return static_cast<int>(lines_.size()); }

  // Reports the first byte that no YAML file may hold: what is not UTF-8, and control characters.
  bool report_bad_bytes(Diagnostics& diagnostics) const;

 private:
  [[nodiscard]] int characters_before(std::size_t line, std::size_t byte_column) const;

  std::string name_;
  std::vector<std::string_view> lines_;
  // The last position asked for: values come in the order of the text, and a line may be the whole
  // file.
  mutable std::size_t last_line_ = 0;
  mutable std::size_t last_byte_ = 0;
  mutable int last_characters_ = 0;
};

}  // namespace tokenyard::input
