#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "store/query.hpp"

namespace tokenyard::store {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const std::string& catalog_root) {
  return fs::path(catalog_root) / "reports" / "queries";
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw InputError("'" + path.string() + "' cannot be read");
  return text.str();
}

// The lines of `--` comments at the top, joined.
std::string leading_comment(const std::string& sql) {
  std::string comment;
  std::istringstream lines(sql);
  for (std::string line; std::getline(lines, line) && line.rfind("--", 0) == 0;) {
    const std::size_t start = line.find_first_not_of("- ");
    if (start == std::string::npos) break;
    if (!comment.empty()) comment += ' ';
    comment += line.substr(start);
  }
  return comment;
}

bool is_word(const std::string& text) {
  return !text.empty() && text.find_first_of(" \t\r\n;('\"`[/*") == std::string::npos;
}

}  // namespace

std::vector<SavedQuery> saved_queries(const std::string& catalog_root) {
  std::vector<SavedQuery> found;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder_of(catalog_root), absent)) {
    if (entry.path().extension() != ".sql") continue;
    found.push_back({entry.path().stem().string(), leading_comment(read_text(entry.path()))});
  }
  std::sort(found.begin(), found.end(),
            [](const SavedQuery& a, const SavedQuery& b) { return a.name < b.name; });
  return found;
}

std::string resolve_query(const std::string& db_path, const std::string& name_or_sql,
                          const std::string& catalog_root) {
  if (!is_word(name_or_sql)) return name_or_sql;
  std::vector<std::string> names;
  for (const SavedQuery& saved : saved_queries(catalog_root)) {
    if (saved.name == name_or_sql)
      return read_text(folder_of(catalog_root) / (saved.name + ".sql"));
    names.push_back(saved.name);
  }
  const Table tables = query(
      db_path,
      "SELECT name FROM sqlite_master WHERE type IN ('view', 'table') ORDER BY type DESC, name");
  for (const std::vector<Cell>& row : tables.rows) {
    const std::string& name = std::get<std::string>(row[0]);
    if (name == name_or_sql) return "SELECT * FROM " + name;
    names.push_back(name);
  }
  throw InputError("query: there is no view, table or saved query '" + name_or_sql + "'" +
                   suggestion(name_or_sql, names));
}

}  // namespace tokenyard::store
