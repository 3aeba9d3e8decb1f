#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "base/hash.hpp"
#include "catalog/entry.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "scenario/calibrate_plan.hpp"
#include "study/calibrate.hpp"
#include "study/calibration_tables.hpp"
#include "study/calibration_yaml.hpp"
#include "study/measured_csv.hpp"
#include "study/steady_cases.hpp"

namespace tokenyard::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMethod =
    "least squares of ln(simulated / measured) in units of 0.10 (times between tokens) and 0.25 "
    "(times that begin with a request), soft L1 loss, normal priors on the logarithms around the "
    "catalog's numbers; fitted by Levenberg-Marquardt from there";

volatile std::sig_atomic_t interrupt_asked = 0;

std::string today() {
  const std::chrono::year_month_day date{
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now())};
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

// Where the calibration goes and what it is called; both empty: it is only shown.
struct Target {
  std::string path, name;
};

// What would be known only after minutes of simulation is refused now.
Target target_of(const Arguments& arguments, const catalog::Catalog& catalog) {
  Target target{.path = arguments.text("output"), .name = arguments.text("name")};
  if (target.name.empty()) target.name = fs::path(target.path).stem().string();
  if (target.name.empty()) return target;
  if (!catalog::is_plain_name(target.name)) {
    throw InputError("--name: '" + target.name +
                     "' is no name; expected letters, digits, '.', '-' and '_'");
  }
  if (target.name == scenario::kAutoCalibration || target.name == scenario::kNoCalibration)
    throw InputError("--name: '" + target.name + "' has another meaning where one is chosen");
  if (arguments.text("source").empty()) {
    throw InputError(
        "--source: is missing; a calibration says who measured, and where it is published");
  }
  if (target.path.empty()) {
    target.path = catalog.path_of(catalog::EntryKind::calibration, target.name);
    return target;
  }
  check_writable("output", target.path);
  return target;
}

std::vector<study::MeasuredCase> read_cases(const std::vector<std::string>& paths,
                                            catalog::Catalog& catalog) {
  if (paths.empty()) throw InputError("calibrate: expected FILE..., a CSV of measurements");
  std::vector<study::MeasuredCase> cases;
  std::vector<Diagnostic> problems;
  for (const std::string& path : paths) {
    try {
      if (const study::MeasuredKind kind = study::measured_kind(path);
          kind != study::MeasuredKind::steady) {
        throw InputError(path + ": the measurements are of the kind '" + text_of(kind) +
                         "'; only those of the kind 'steady' can be fitted to");
      }
      std::vector<study::MeasuredCase> own =
          study::steady_cases(study::MeasuredCsv(path), catalog, {.calibration = "none"});
      std::move(own.begin(), own.end(), std::back_inserter(cases));
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  if (!problems.empty()) throw InputError(problems);
  return cases;
}

study::CalibrationStudy fit(std::vector<study::MeasuredCase> cases, const Arguments& arguments) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, [](int) { interrupt_asked = 1; });
  ProgressLine line;
  return study::calibrate(std::move(cases),
                          {.jobs = static_cast<std::size_t>(arguments.integer("jobs", 1)),
                           .on_progress =
                               [&line](const study::FitProgress& p) {
                                 line.draw(
                                     static_cast<double>(p.fits_done) / static_cast<double>(p.fits),
                                     std::to_string(p.fits_done) + '/' + std::to_string(p.fits) +
                                         " fits, " + std::to_string(p.runs) + " runs");
                               },
                           .interrupted = [] { return interrupt_asked != 0; }});
}

// What a calibration says about itself.
void describe(catalog::Calibration& c, const study::CalibrationStudy& study, const Target& target,
              const Arguments& arguments) {
  c.name = target.name;
  c.date = today();
  c.method = kMethod;
  c.description = "shares of peaks and costs of the host, fitted to measured serving on";
  for (const catalog::CalibratedDevice& d : c.devices)
    c.description += (&d == c.devices.data() ? " " : ", ") + d.device;
  for (const auto& [path, measurements] : study.measurements) {
    const std::string file = fs::path(path).filename().string();
    c.data.push_back({.file = file,
                      .sha256 = sha256_file(path),
                      .measurements = measurements,
                      .source = arguments.text("source")});
  }
}

int run(const Arguments& arguments) {
  catalog::Catalog catalog(catalog::find_catalog_root(arguments.text("catalog")));
  const Target target = target_of(arguments, catalog);
  study::CalibrationStudy study = fit(read_cases(arguments.operands(), catalog), arguments);
  if (study.interrupted) return kInterrupted;
  describe(study.calibration, study, target, arguments);
  if (!target.path.empty()) {
    fs::create_directories(fs::absolute(target.path).parent_path());
    write_whole(target.path, study::calibration_yaml(study.calibration));
  }
  if (arguments.has("json") || arguments.text("format") != "table") {
    print_table(study::calibration_values(study), arguments);
    return kDone;
  }
  std::string before;
  for (const study::TitledTable& table : study::calibration_tables(study)) {
    print(before + table.title + "\n\n");
    print_table(table.table, arguments);
    before = "\n";
  }
  return kDone;
}

}  // namespace

Command calibrate_command() {
  return {
      "calibrate",
      "FILE... [options]",
      "fits shares of peaks and host costs to measurements, and tells what a new model may be "
      "off by",
      {{"name", "NAME", "writes the calibration into the catalog under this name", ""},
       {"output", "FILE", "writes it to this file instead, or without --name under its name", ""},
       {"source", "TEXT", "who measured, and where it is published; needed to write", ""},
       {"jobs", "N", "runs at a time", "1"},
       {"json", "", "short for --format json: one table of all values", ""},
       format_option(),
       catalog_option()},
      run};
}

}  // namespace tokenyard::cli
