#include "report/render.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "report/cell_text.hpp"
#include "report/json_table.hpp"

namespace tokenyard::report {
namespace {

// Control characters, those of the C1 block (0x80 to 0x9f, in UTF-8 after 0xc2) included, could
// move the cursor or rewrite what stands above.
std::string without_controls(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
      out += '?';
      ++i;
    } else {
      out += c < 0x20 || c == 0x7f ? '?' : text[i];
    }
  }
  return out;
}

// Characters, not bytes: UTF-8's continuation bytes are not counted.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string aligned_line(const std::vector<std::string>& cells,
                         const std::vector<std::size_t>& widths,
                         const std::vector<bool>& to_the_right) {
  std::string line;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const std::string padding(widths[c] - width(cells[c]), ' ');
    line += to_the_right[c] ? padding + cells[c] : cells[c] + padding;
    if (c + 1 < cells.size()) line += "  ";
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string render_terminal(const Table& table, const RenderOptions& options) {
  std::vector<std::vector<std::string>> lines;
  lines.push_back(table.columns);
  for (const std::vector<Cell>& row : table.rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const Cell& cell : row) line.push_back(shown_text(cell));
  }
  std::vector<std::size_t> widths(table.columns.size());
  for (std::vector<std::string>& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) {
      line[c] = without_controls(line[c]);
      widths[c] = std::max(widths[c], width(line[c]));
    }
  }
  std::vector<bool> to_the_right;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    to_the_right.push_back(is_number_column(table, c));
  }
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = aligned_line(lines[i], widths, to_the_right);
    text += i == 0 && options.bold_header ? "\033[1m" + line + "\033[0m" : line;
    text += '\n';
  }
  return text;
}

std::string csv_field(const std::string& text, bool from_text) {
  const bool like_formula = from_text && !text.empty() &&
                            std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
  const std::string safe = like_formula ? "'" + text : text;
  if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string render_csv(const Table& table) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    text += (c == 0 ? "" : ",") + csv_field(table.columns[c], true);
  }
  text += '\n';
  for (const std::vector<Cell>& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      text += (c == 0 ? "" : ",") +
              csv_field(exact_text(row[c]), std::holds_alternative<std::string>(row[c]));
    }
    text += '\n';
  }
  return text;
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "<br>";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (std::string_view("|\\`*[]").find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string render_markdown(const Table& table) {
  std::string text = "|";
  std::string rule = "|";
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    text += ' ' + markdown_cell(table.columns[c]) + " |";
    rule += is_number_column(table, c) ? " ---: |" : " --- |";
  }
  text += '\n' + rule + '\n';
  for (const std::vector<Cell>& row : table.rows) {
    text += '|';
    for (const Cell& cell : row) text += ' ' + markdown_cell(shown_text(cell)) + " |";
    text += '\n';
  }
  return text;
}

}  // namespace

std::string render(const Table& table, Format format, const RenderOptions& options) {
  for (const std::vector<Cell>& row : table.rows) {
    check(row.size() == table.columns.size(), "a table's rows are as long as its list of columns");
  }
  switch (format) {
    case Format::terminal:
      return render_terminal(table, options);
    case Format::csv:
      return render_csv(table);
    case Format::markdown:
      return render_markdown(table);
    case Format::json:
      return json_table(table);
  }
  throw InternalError("a format that render() does not know");
}

bool escapes_wanted(bool is_terminal) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return is_terminal && !dumb && (no_color == nullptr || *no_color == '\0');
}

}  // namespace tokenyard::report
