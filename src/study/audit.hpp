#pragma once
// Checks the claims of scenarios: every entry of `expect:`, by its formula, its bound, the
// statements that it must agree with, or the metric of a simulated run.
//
// The verdict follows from the numbers alone (audit_judge.hpp); nobody writes it down.
//
// Worked example: "405B in bf16: 810 GB read per token", tolerance 1 %, compute
// weight_read("llama-3.1-405b", "bf16", 1): 807.5 GB, ratio 0.997, holds.
//
// A claim that cannot be decided is the file's mistake and not a verdict: a formula with an error,
// or one that needs a value that nobody knows and that nothing is assumed for.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/table.hpp"
#include "scenario/plan.hpp"
#include "study/audit_judge.hpp"
#include "study/run_all.hpp"

namespace tokenyard::study {

struct AuditRow {
  std::string scenario;
  std::string id;  // of a metric without one: the metric's name
  std::string claim;
  std::string source;
  Ends claimed;                             // base units
  Ends compared;                            // what the verdict rests on; empty: nothing known
  std::string claimed_text, compared_text;  // for people
  double tolerance = 0.0;
  std::optional<double> ratio;  // compared / claimed, of single numbers
  Verdict verdict = Verdict::holds;
  std::string because;
  std::string note;
};

struct AuditOptions {
  std::string db_path;  // empty: nothing is stored
  std::size_t jobs = 1;
  std::function<void(const StudyProgress&)> on_progress = {};
  std::function<bool()> interrupted = {};
};

struct Audit {
  std::vector<AuditRow> rows;       // in the order of the plans and of their claims
  std::vector<std::string> broken;  // runs that died: what they said
  bool interrupted = false;         // then there are no rows
};

// Throws InputError with everything that is wrong with the claims of all plans; then nothing was
// simulated, unless only a simulated metric shows that it is wrong.
Audit audit(const std::vector<scenario::Plan>& plans, catalog::Catalog& catalog,
            const AuditOptions& options);

// Every row with every column, for programs.
Table audit_table(const std::vector<AuditRow>& rows);
// The rows of one source, for people.
Table audit_table_of(const std::vector<AuditRow>& rows, const std::string& source);
// Verdicts counted by source, and in all.
Table audit_summary(const std::vector<AuditRow>& rows);
// The sources, each once, in the order of the rows.
std::vector<std::string> audit_sources(const std::vector<AuditRow>& rows);

}  // namespace tokenyard::study
