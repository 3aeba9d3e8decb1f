#include <algorithm>
#include <array>

#include "study/audit.hpp"

namespace tokenyard::study {
namespace {

Cell ratio_cell(const AuditRow& row) {
  if (row.ratio) return *row.ratio;
  return std::monostate{};
}

// One end, or nothing.
Cell end_cell(const Ends& ends, bool upper) {
  if (ends.empty()) return std::monostate{};
  return upper ? ends.back() : ends.front();
}

}  // namespace

std::vector<std::string> audit_sources(const std::vector<AuditRow>& rows) {
  std::vector<std::string> sources;
  for (const AuditRow& row : rows) {
    if (std::find(sources.begin(), sources.end(), row.source) == sources.end())
      sources.push_back(row.source);
  }
  return sources;
}

Table audit_table(const std::vector<AuditRow>& rows) {
  Table table{
      {"scenario", "source", "id", "claim", "claimed", "computed", "ratio", "verdict", "because",
       "note", "claimed_low", "claimed_high", "computed_low", "computed_high", "tolerance"},
      {}};
  for (const AuditRow& row : rows) {
    table.rows.push_back({row.scenario, row.source, row.id, row.claim, row.claimed_text,
                          row.compared_text, ratio_cell(row), std::string(text_of(row.verdict)),
                          row.because, row.note, end_cell(row.claimed, false),
                          end_cell(row.claimed, true), end_cell(row.compared, false),
                          end_cell(row.compared, true), row.tolerance});
  }
  return table;
}

Table audit_table_of(const std::vector<AuditRow>& rows, const std::string& source) {
  Table table{{"id", "claimed", "computed", "ratio", "verdict", "because", "claim"}, {}};
  for (const AuditRow& row : rows) {
    if (row.source != source) continue;
    std::string because = row.because;
    if (!row.note.empty()) because += (because.empty() ? "" : "; ") + row.note;
    table.rows.push_back({row.id, row.claimed_text, row.compared_text, ratio_cell(row),
                          std::string(text_of(row.verdict)), because, row.claim});
  }
  return table;
}

Table audit_summary(const std::vector<AuditRow>& rows) {
  Table table{{"source", "claims"}, {}};
  for (std::size_t v = 0; v < kVerdicts; ++v)
    table.columns.emplace_back(text_of(static_cast<Verdict>(v)));
  const auto add = [&](const std::string& name, const std::string* source) {
    std::array<std::int64_t, kVerdicts> counts{};
    std::int64_t all = 0;
    for (const AuditRow& row : rows) {
      if (source != nullptr && row.source != *source) continue;
      ++counts[static_cast<std::size_t>(row.verdict)];
      ++all;
    }
    table.rows.push_back({name, all});
    for (const std::int64_t count : counts) table.rows.back().emplace_back(count);
  };
  for (const std::string& source : audit_sources(rows)) add(source, &source);
  add("all", nullptr);
  return table;
}

}  // namespace tokenyard::study
