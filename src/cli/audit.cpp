#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "perf/placement.hpp"
#include "scenario/resolve.hpp"
#include "study/audit.hpp"

namespace tokenyard::cli {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t interrupt_asked = 0;

// The files named, and every scenario below the folders named.
std::vector<std::string> files_of(const std::vector<std::string>& operands) {
  std::vector<std::string> files;
  for (const std::string& operand : operands) {
    std::error_code error;
    if (!fs::is_directory(operand, error)) {
      files.push_back(operand);
      continue;
    }
    std::vector<std::string> below;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(operand)) {
      if (entry.path().extension() == ".yaml") below.push_back(entry.path().string());
    }
    std::sort(below.begin(), below.end());
    files.insert(files.end(), below.begin(), below.end());
  }
  return files;
}

std::vector<scenario::Plan> plans_of(const std::vector<std::string>& operands,
                                     catalog::Catalog& catalog) {
  std::vector<scenario::Plan> plans;
  std::vector<Diagnostic> problems;
  for (const std::string& path : files_of(operands)) {
    try {
      for (scenario::Plan& plan : scenario::load_plans(path, {}, catalog, {.fits = perf::fits})) {
        if (!plan.scenario.expect.empty()) plans.push_back(std::move(plan));
      }
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  if (!problems.empty()) throw InputError(problems);
  if (plans.empty()) {
    std::string where;
    for (const std::string& operand : operands) where += (where.empty() ? "" : ", ") + operand;
    throw InputError("audit: there are no claims in " + where);
  }
  return plans;
}

void print_for_people(const study::Audit& audit, const Arguments& arguments) {
  for (const std::string& source : study::audit_sources(audit.rows)) {
    print(source + "\n\n");
    print_table(study::audit_table_of(audit.rows, source), arguments);
    print("\n");
  }
  print_table(study::audit_summary(audit.rows), arguments);
}

int run(const Arguments& arguments) {
  catalog::Catalog catalog(catalog::find_catalog_root(arguments.text("catalog")));
  std::vector<std::string> operands = arguments.operands();
  if (operands.empty()) operands.push_back(catalog.root() + "/scenarios/claims");
  const std::vector<scenario::Plan> plans = plans_of(operands, catalog);
  study::Audit audit;
  {
    ProgressLine line;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
      std::signal(signal, [](int) { interrupt_asked = 1; });
    audit = study::audit(
        plans, catalog,
        {.db_path = arguments.text("db"),
         .jobs = static_cast<std::size_t>(arguments.integer("jobs", 1)),
         .on_progress =
             [&](const study::StudyProgress& p) {
               line.draw(static_cast<double>(p.runs_done) / static_cast<double>(p.runs),
                         std::to_string(p.runs_done) + '/' + std::to_string(p.runs) + " runs");
             },
         .interrupted = [] { return interrupt_asked != 0; }});
  }
  for (const std::string& message : audit.broken) std::cerr << message << '\n';
  if (audit.interrupted) return kInterrupted;
  const std::string format = arguments.has("json") ? "json" : arguments.text("format");
  if (format == "json" || format == "csv") {
    print_table(study::audit_table(audit.rows), arguments);
  } else {
    print_for_people(audit, arguments);
  }
  return audit.broken.empty() ? kDone : kBroken;
}

}  // namespace

Command audit_command() {
  return {
      "audit",
      "[DIR|FILE...] [options]",
      "checks claims: what they say, what comes out, and whether the two agree",
      {{"db", "FILE", "stores the verdicts, and the runs made for them, in a result database", ""},
       {"jobs", "N", "runs at a time, of claims that need a simulation", "1"},
       {"json", "", "short for --format json: one table of all claims", ""},
       format_option(),
       catalog_option()},
      run};
}

}  // namespace tokenyard::cli
