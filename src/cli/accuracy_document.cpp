#include "cli/accuracy_document.hpp"

#include <filesystem>
#include <optional>

#include "base/hash.hpp"
#include "base/quantity_text.hpp"
#include "report/render.hpp"
#include "study/calibration_tables.hpp"

namespace tokenyard::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIntroduction =
    "# Accuracy\n"
    "\n"
    "How far the predictions of tokenyard are from what others have measured. `tokenyard validate\n"
    "FILE... --markdown docs/accuracy.md` writes this page, and nobody edits it; what the "
    "residuals "
    "taught,\n"
    "and what was tried in vain, is in [residuals.md](residuals.md).\n"
    "\n"
    "error = predicted / measured - 1, and bias is its median. *Inside spread* counts predictions "
    "within the\n"
    "range of repeated measurements and of serving software; half of that range, *half spread*, is "
    "how far\n"
    "single repeats are from their middle, the scale on which to read the errors. *p90* is the "
    "90th\n"
    "percentile.\n";

std::string section(const std::string& title, const Table& table) {
  return "\n### " + title + "\n\n" + report::render(table, report::Format::markdown);
}

std::string calibration_section(const catalog::Calibration& c) {
  std::string text = "\n## Calibration " + c.name + "\n\nOf " + c.date + ". " + c.method + ".\n";
  Table data{{"measurements", "file", "SHA-256", "source"}, {}};
  for (const catalog::CalibrationData& d : c.data)
    data.rows.push_back({d.measurements, d.file, d.sha256, d.source});
  text += section("fitted to", data);
  text += section("errors, median / 90 of 100", study::error_table(c));
  return text;
}

std::string name_of(const std::string& path) {
  return fs::path(path).filename().string();
}

// What the file is, so that the same one can be found again.
std::string file_heading(const std::string& path) {
  return "\n## " + name_of(path) + "\n\nSHA-256 `" + sha256_file(path) + "`.\n";
}

std::string file_section(const study::ValidatedFile& file) {
  std::string text = file_heading(file.name);
  for (const auto& tables :
       {study::error_tables(file.validation), study::background_tables(file.validation)}) {
    for (const study::TitledTable& table : tables) text += section(table.title, table.table);
  }
  return text;
}

}  // namespace

std::string accuracy_document(const std::vector<const catalog::Calibration*>& calibrations,
                              const std::vector<study::ValidatedFile>& files,
                              const std::vector<ValidatedSessions>& sessions) {
  std::string text = kIntroduction;
  for (const catalog::Calibration* c : calibrations) text += calibration_section(*c);
  for (const study::ValidatedFile& file : files) text += file_section(file);
  for (const ValidatedSessions& s : sessions) {
    text += file_heading(s.name) +
            section("prompt tokens found in the cache", study::prefix_table(s.validation));
  }
  return text;
}

}  // namespace tokenyard::cli
