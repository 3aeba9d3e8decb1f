#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "cli/accuracy_document.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/validate_page.hpp"
#include "report/render.hpp"
#include "study/measured_csv.hpp"
#include "study/published_cases.hpp"
#include "study/steady_cases.hpp"

namespace tokenyard::cli {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t interrupt_asked = 0;

struct MeasuredFile {
  std::string name;
  std::vector<study::MeasuredCase> cases;
};

// What was given, read; nothing simulated yet.
struct Given {
  std::vector<MeasuredFile> files;
  std::vector<std::string> sessions;  // files of them
};

void read_file(const std::string& path, const study::CaseOptions& options,
               catalog::Catalog& catalog, Given& given) {
  switch (study::measured_kind(path)) {
    case study::MeasuredKind::steady:
      given.files.push_back(
          {path, study::steady_cases(study::MeasuredCsv(path), catalog, options)});
      return;
    case study::MeasuredKind::published:
      given.files.push_back(
          {path, study::published_cases(study::MeasuredCsv(path), catalog, options)});
      return;
    case study::MeasuredKind::sessions:
      given.sessions.push_back(path);
  }
}

Given read_files(const std::vector<std::string>& paths, const study::CaseOptions& options,
                 catalog::Catalog& catalog) {
  if (paths.empty()) throw InputError("validate: expected FILE..., a CSV of measurements");
  Given given;
  std::vector<Diagnostic> problems;
  for (const std::string& path : paths) {
    try {
      read_file(path, options, catalog, given);
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  if (!problems.empty()) throw InputError(problems);
  return given;
}

bool wants_points(const Arguments& arguments) {
  const std::string format = arguments.has("json") ? "json" : arguments.text("format");
  return format == "json" || format == "csv";
}

// What would be known only after minutes of simulation.
void check_outputs(const Given& given, const Arguments& arguments) {
  if ((wants_points(arguments) || arguments.has("points")) && !given.files.empty() &&
      !given.sessions.empty()) {
    throw InputError("validate: measurements and sessions make different tables of points; give " +
                     given.sessions.front() + " by itself");
  }
  for (const char* option : {"points", "html", "markdown"}) {
    if (arguments.has(option)) check_writable(option, arguments.text(option));
  }
}

struct Results {
  std::vector<study::ValidatedFile> files;
  std::vector<ValidatedSessions> sessions;
  std::vector<std::string> broken;
  bool interrupted = false;
};

study::ValidationOptions options_of(const Arguments& arguments, ProgressLine& line,
                                    const std::string& name) {
  return {.db_path = arguments.text("db"),
          .jobs = static_cast<std::size_t>(arguments.integer("jobs", 1)),
          .on_progress =
              [&line, name](const study::StudyProgress& p) {
                line.draw(static_cast<double>(p.runs_done) / static_cast<double>(p.runs),
                          name + ": " + std::to_string(p.runs_done) + '/' + std::to_string(p.runs) +
                              " runs");
              },
          .interrupted = [] { return interrupt_asked != 0; }};
}

Results simulate(Given given, catalog::Catalog& catalog, const Arguments& arguments) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, [](int) { interrupt_asked = 1; });
  ProgressLine line;
  Results results;
  for (MeasuredFile& file : given.files) {
    study::Validation v =
        study::validate(std::move(file.cases), options_of(arguments, line, file.name));
    results.broken.insert(results.broken.end(), v.broken.begin(), v.broken.end());
    results.interrupted = v.interrupted;
    results.files.push_back({file.name, std::move(v)});
    if (results.interrupted) return results;
  }
  for (const std::string& path : given.sessions) {
    study::PrefixValidation v =
        study::validate_prefixes(path, catalog, options_of(arguments, line, path));
    if (!v.broken.empty()) results.broken.push_back(v.broken);
    results.interrupted = v.interrupted;
    results.sessions.push_back({path, std::move(v)});
    if (results.interrupted) return results;
  }
  return results;
}

// One table for programs.
Table points_of(const Results& results) {
  if (results.sessions.empty()) return study::point_table(results.files);
  Table all = study::prefix_points(results.sessions.front().validation);
  for (std::size_t i = 1; i < results.sessions.size(); ++i) {
    Table more = study::prefix_points(results.sessions[i].validation);
    all.rows.insert(all.rows.end(), more.rows.begin(), more.rows.end());
  }
  return all;
}

void print_for_people(const Results& results, const Arguments& arguments) {
  std::string before;
  const auto show = [&](const std::string& title, const Table& table) {
    print(before + title + "\n\n");
    print_table(table, arguments);
    before = "\n";
  };
  for (const study::ValidatedFile& file : results.files) {
    for (const study::TitledTable& table : study::error_tables(file.validation))
      show(file.name + ": " + table.title, table.table);
  }
  for (const ValidatedSessions& s : results.sessions)
    show(s.name + ": prompt tokens found in the cache", study::prefix_table(s.validation));
}

// Those that the runs may use.
std::vector<const catalog::Calibration*> usable_calibrations(const std::string& name,
                                                             catalog::Catalog& catalog) {
  if (name == "none") return {};
  Diagnostics diagnostics;
  std::vector<const catalog::Calibration*> usable = catalog.calibrations(diagnostics);
  diagnostics.throw_if_any();
  if (name == "auto") return usable;
  std::erase_if(usable, [&](const catalog::Calibration* c) { return c->name != name; });
  if (!usable.empty()) return usable;
  const std::vector<std::string> names = catalog.names(catalog::EntryKind::calibration);
  throw InputError("--calibration: no calibration " + quote_word(name) +
                   " in the catalog; 'auto', 'none' or a name" + suggestion(name, names));
}

bool any_predicted(const Results& results) {
  if (!results.sessions.empty()) return true;
  const auto has_any = [](const study::ValidatedFile& file) {
    const auto& points = file.validation.points;
    return std::any_of(points.begin(), points.end(),
                       [](const study::ValidationPoint& p) { return p.problem.empty(); });
  };
  return std::any_of(results.files.begin(), results.files.end(), has_any);
}

int run(const Arguments& arguments) {
  catalog::Catalog catalog(catalog::find_catalog_root(arguments.text("catalog")));
  const study::CaseOptions options{.calibration = arguments.text("calibration")};
  const std::vector<const catalog::Calibration*> calibrations =
      usable_calibrations(options.calibration, catalog);
  Given given = read_files(arguments.operands(), options, catalog);
  check_outputs(given, arguments);
  const Results results = simulate(std::move(given), catalog, arguments);
  for (const std::string& message : results.broken) std::cerr << message << '\n';
  if (results.interrupted) return kInterrupted;
  if (arguments.has("points"))
    write_whole(arguments.text("points"), report::render(points_of(results), report::Format::csv));
  if (arguments.has("html"))
    write_whole(arguments.text("html"), validation_page(results.files, results.sessions));
  if (arguments.has("markdown"))
    write_whole(arguments.text("markdown"),
                accuracy_document(calibrations, results.files, results.sessions));
  if (wants_points(arguments)) {
    print_table(points_of(results), arguments);
  } else {
    print_for_people(results, arguments);
  }
  if (!results.broken.empty()) return kBroken;
  if (any_predicted(results)) return kDone;
  std::cerr << "error: not one measurement could be simulated; column 'problem' of --points FILE "
               "says why\n";
  return kBadInput;
}

}  // namespace

Command validate_command() {
  return {
      "validate",
      "FILE... [options]",
      "simulates what others have measured, and tells how far off the predictions are",
      {{"db", "FILE", "stores every run, with what was measured, in a result database", ""},
       {"jobs", "N", "runs at a time", "1"},
       {"points", "FILE", "writes every measurement and its prediction as CSV", ""},
       {"html", "FILE", "writes error tables and charts as one HTML page", ""},
       {"markdown", "FILE", "writes calibrations, errors, assumptions and sources as Markdown", ""},
       {"calibration", "NAME", "of the devices: auto, none, or one of the catalog", "auto"},
       {"json", "", "short for --format json: one table of all measurements", ""},
       format_option(),
       catalog_option()},
      run};
}

}  // namespace tokenyard::cli
