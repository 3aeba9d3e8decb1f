#pragma once
// Published rows, made up for tests, and what they become.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "study/published_cases.hpp"
#include "support/toy_yard.hpp"

namespace tokenyard::study {

// One row of the kind "published"; the fields are those that the rules look at.
struct Row {
  std::string id, source, hardware, devices, model, precision, scenario, isl, osl, load, metric;
  std::string value;
  std::string unit = "tok/s";
};

inline std::string text_of(const std::vector<Row>& rows) {
  std::string text;
  for (const std::string& column : columns_of(MeasuredKind::published))
    text += (text.empty() ? "" : ",") + column;
  for (const Row& r : rows) {
    text += '\n';
    std::map<std::string, std::string> fields{{"id", r.id},
                                              {"source", r.source},
                                              {"hardware", r.hardware},
                                              {"num_devices", r.devices},
                                              {"model", r.model},
                                              {"precision", r.precision},
                                              {"scenario", r.scenario},
                                              {"isl", r.isl},
                                              {"osl", r.osl},
                                              {"batch_or_concurrency_or_rate", r.load},
                                              {"metric", r.metric},
                                              {"value", r.value},
                                              {"unit", r.unit},
                                              {"confidence", "high"}};
    bool first = true;
    for (const std::string& column : columns_of(MeasuredKind::published)) {
      text += (first ? "\"" : ",\"") + fields[column] + '"';
      first = false;
    }
  }
  return text + '\n';
}

inline catalog::Catalog& shipped() {
  static catalog::Catalog catalog{TOKENYARD_SOURCE_DIR};
  return catalog;
}

// By the shipped rules and catalog.
inline std::vector<MeasuredCase> cases_of(const std::vector<Row>& rows) {
  const MeasuredCsv csv("made-up.csv", text_of(rows));
  return published_cases(csv, shipped());
}

// By those of a yard.
inline std::vector<MeasuredCase> cases_of(const test::ToyYard& yard, const std::vector<Row>& rows) {
  const MeasuredCsv csv("made-up.csv", text_of(rows));
  catalog::Catalog catalog(yard.file(""));
  return published_cases(csv, catalog);
}

inline std::string label(const MeasuredCase& found, const std::string& name) {
  for (const auto& [known, value] : found.labels) {
    if (known == name) return value;
  }
  return "no such label";
}

}  // namespace tokenyard::study
