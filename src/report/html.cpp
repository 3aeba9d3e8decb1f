#include "report/html.hpp"

#include "report/cell_text.hpp"

namespace tokenyard::report {
namespace {

constexpr const char* kStyle = R"css(
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff;
       margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1.2rem 0; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .15rem .7rem; border-bottom: 1px solid #ddd; text-align: left;
         vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
thead th { border-bottom: 2px solid #777; }
svg { display: block; max-width: 100%; height: auto; margin: 1rem 0; }
)css";

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default: {
        const auto code = static_cast<unsigned char>(c);
        out += (code < 0x20 && c != '\n' && c != '\t') || code == 0x7f ? '?' : c;
      }
    }
  }
  return out;
}

std::string html_table(const Table& table, const std::string& caption) {
  const auto cell = [&](const char* tag, std::size_t column, const std::string& text) {
    const std::string name = tag;
    const std::string scope = name == "th" ? " scope=\"col\"" : "";
    const std::string number = is_number_column(table, column) ? " class=\"number\"" : "";
    return '<' + name + scope + number + '>' + html_text(text) + "</" + name + '>';
  };
  std::string html =
      "<div class=\"scroll\"><table><caption>" + html_text(caption) + "</caption>\n<thead><tr>";
  for (std::size_t c = 0; c < table.columns.size(); ++c) html += cell("th", c, table.columns[c]);
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<Cell>& row : table.rows) {
    html += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c) html += cell("td", c, shown_text(row[c]));
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string html_page(const std::string& title, const std::string& introduction,
                      const std::vector<HtmlSection>& sections) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      html_text(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" +
      html_text(title) + "</h1>\n<p>" + html_text(introduction) + "</p>\n";
  for (const HtmlSection& section : sections) {
    html += "<section>\n<h2>" + html_text(section.heading) + "</h2>\n";
    for (const std::string& part : section.parts) html += part;
    html += "</section>\n";
  }
  return html + "</body>\n</html>\n";
}

}  // namespace tokenyard::report
