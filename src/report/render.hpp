#pragma once
// A table as text: for a terminal, a spreadsheet, a document or a program.
//
//   terminal  aligned columns, numbers to the right with three significant digits, whole numbers in
//             full; control characters are shown as '?', so no text can steer the terminal
//   csv       RFC 4180 with '\n'; numbers in full precision, NULL empty; a text that a spreadsheet
//             would take for a formula (it begins with = + - @ TAB or CR) gets a ' in front
//   markdown  a pipe table, three significant digits, markup characters escaped
//   json      an array of objects, one a line; full precision, NULL and not-a-number null; columns
//             of the same name get _2, _3 ... from the second on
#include <array>
#include <string>
#include <string_view>

#include "base/table.hpp"

namespace tokenyard::report {

enum class Format { terminal, csv, markdown, json };
// As given to --format.
constexpr auto enum_names(Format) {
  return std::array<std::string_view, 4>{"table", "csv", "markdown", "json"};
}

struct RenderOptions {
  bool bold_header = false;  // terminal only: the header in bold (an escape sequence)
};

// The text ends with a newline.
std::string render(const Table& table, Format format, const RenderOptions& options = {});

// Whether escape sequences are welcome: on a terminal that is not dumb and with NO_COLOR unset or
// empty.
bool escapes_wanted(bool is_terminal);

}  // namespace tokenyard::report
