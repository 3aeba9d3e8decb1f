// The arrows between the rooms of src/, as a test: a new arrow or library is a change to a table
// here.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

constexpr int kLongestFile = 400;  // lines

Names all_rooms() {
  return {"base",      "formula", "input", "catalog", "workload", "scenario",
          "topology",  "perf",    "power", "serving", "metrics",  "sim",
          "economics", "store",   "study", "report",  "cli"};
}

Names all_but(const Names& left_out) {
  Names rooms;
  for (const std::string& room : all_rooms()) {
    if (!left_out.contains(room)) rooms.insert(room);
  }
  return rooms;
}

// Which rooms the files of a room may include, besides their own.
const std::map<std::string, Names>& allowed() {
  static const std::map<std::string, Names> kAllowed = {
      {"base", {}},
      {"formula", {"base"}},
      {"input", {"base"}},
      {"catalog", {"base", "input"}},
      {"workload", {"base", "input"}},
      {"scenario", {"base", "formula", "input", "catalog", "workload"}},
      {"topology", {"base", "catalog", "scenario"}},
      {"perf", {"base", "catalog", "scenario"}},
      {"power", {"base", "catalog", "perf"}},
      {"serving", {"base", "workload", "scenario", "perf"}},
      {"metrics", {"base", "workload", "scenario"}},
      {"sim", {"base", "workload", "scenario", "topology", "perf", "power", "serving", "metrics"}},
      {"economics", {"base", "catalog", "scenario", "metrics"}},
      {"store", {"base", "metrics", "economics"}},
      {"study", all_but({"report", "cli"})},
      {"report", {"base", "metrics", "economics", "store"}},
      {"cli", all_rooms()},
  };
  return kAllowed;
}

struct Library {
  std::string include;  // how an include of it begins
  std::string room;
};

// Each library lives in one room, in .cpp files only: including it costs seconds, and every file
// that includes a header pays for it.
const std::vector<Library>& libraries() {
  static const std::vector<Library> kLibraries = {
      {"fmt/", "base"},
      {"openssl/", "base"},
      {"boost/random", "base"},
      {"yaml-cpp/", "input"},
      {"simdjson", "workload"},
      {"zstd", "workload"},
      {"boost/spirit/", "formula"},
      {"boost/graph/", "topology"},
      {"boost/pending/", "topology"},
      {"boost/property_map/", "topology"},
      {"simgrid/", "sim"},
      {"xbt/", "sim"},
      {"SQLiteCpp/", "store"},
      {"sqlite3", "store"},
      {"Eigen/", "study"},
      {"unsupported/Eigen/", "study"},
      {"nlohmann/", "report"},
      {"cxxopts", "cli"},
  };
  return kLibraries;
}

// Headers of Boost that nobody owns would slip through the list above.
bool is_library(const std::string& include) {
  return include.starts_with("boost/") ||
         std::any_of(libraries().begin(), libraries().end(),
                     [&](const Library& l) { return include.starts_with(l.include); });
}

// What is wrong with one #include, or "".
std::string objection(const std::string& room, bool is_header, const std::string& include) {
  for (const Library& library : libraries()) {
    if (!include.starts_with(library.include)) continue;
    if (room != library.room) return "<" + include + "> belongs in '" + library.room + "' only";
    // Declares names only, at no cost.
    if (include == "simgrid/forward.h") return "";
    return is_header ? "<" + include + "> belongs in a .cpp file" : "";
  }
  if (is_library(include)) return "<" + include + "> has no room; give it one in the table";
  const std::string other = include.substr(0, include.find('/'));
  if (!all_rooms().contains(other) || other == room || allowed().at(room).contains(other))
    return "";
  return "'" + room + "' may not include '" + other + "'";
}

// "store" of `#include "store/database.hpp"`; "" when the line includes nothing.
std::string included(std::string_view line) {
  const std::size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return "";
  const std::size_t word = line.find("include", hash);
  if (word == std::string_view::npos) return "";
  const std::size_t begin = line.find_first_of("<\"", word);
  if (begin == std::string_view::npos) return "";
  const std::size_t end = line.find_first_of(">\"", begin + 1);
  return std::string(line.substr(begin + 1, end - begin - 1));
}

struct SourceFile {
  std::string name;  // "store/database.cpp"
  std::string room;
  bool is_header = false;
  std::vector<std::string> lines;
};

std::vector<SourceFile> source_files() {
  const fs::path root = fs::path(TOKENYARD_SOURCE_DIR) / "src";
  std::vector<SourceFile> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    const std::string extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".hpp")) continue;
    const fs::path name = entry.path().lexically_relative(root);
    SourceFile file{
        .name = name, .room = *name.begin(), .is_header = extension == ".hpp", .lines = {}};
    if (!name.has_parent_path()) file.room = "cli";  // main.cpp
    std::ifstream text(entry.path());
    for (std::string line; std::getline(text, line);) file.lines.push_back(line);
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace

TEST_CASE("rooms include only the rooms below them, and each library stays in its own room") {
  for (const SourceFile& file : source_files()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string include = included(file.lines[i]);
      const std::string problem =
          include.empty() ? "" : objection(file.room, file.is_header, include);
      CHECK_MESSAGE(problem.empty(), file.name, ":", i + 1, ": ", problem);
    }
  }
}

TEST_CASE("every folder of src is a room of the table, and none has folders of its own") {
  std::size_t found = 0;
  for (const SourceFile& file : source_files()) {
    CHECK_MESSAGE(all_rooms().contains(file.room), file.name, " is in no known room");
    CHECK_MESSAGE(std::count(file.name.begin(), file.name.end(), '/') <= 1, file.name,
                  " is too deep");
    ++found;
  }
  CHECK(found > 0);
}

TEST_CASE("the table has no circle: whoever is allowed stands below") {
  for (const auto& rule : allowed()) {
    for (const std::string& other : rule.second) {
      CAPTURE(rule.first);
      CAPTURE(other);
      CHECK((other == rule.first || !allowed().at(other).contains(rule.first)));
    }
  }
}

TEST_CASE("no file is longer than 400 lines, and every header is included once") {
  for (const SourceFile& file : source_files()) {
    CHECK_MESSAGE(file.lines.size() <= kLongestFile, file.name, " has ", file.lines.size(),
                  " lines");
    if (file.is_header) {
      CHECK_MESSAGE((!file.lines.empty() && file.lines.front() == "#pragma once"), file.name,
                    ":1: expected #pragma once");
    }
  }
}

TEST_CASE("no work is left for later in the source") {
  for (const SourceFile& file : source_files()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const bool left = file.lines[i].find("TODO") != std::string::npos ||
                        file.lines[i].find("FIXME") != std::string::npos;
      CHECK_MESSAGE(!left, file.name, ":", i + 1, ": ", file.lines[i]);
    }
  }
}

TEST_CASE("the reader of #include lines reads them") {
  CHECK(included("#include \"store/a.hpp\"") == "store/a.hpp");
  CHECK(included("  #  include <fmt/core.h>  // why") == "fmt/core.h");
  CHECK(included("// #include \"x.hpp\"").empty());
  CHECK(included("#pragma once").empty());
}

TEST_CASE("an arrow upwards, a library outside its room and one in a header are objected to") {
  CHECK(objection("perf", false, "sim/run.hpp") == "'perf' may not include 'sim'");
  CHECK(objection("report", false, "simgrid/s4u.hpp") == "<simgrid/s4u.hpp> belongs in 'sim' only");
  CHECK(objection("sim", true, "simgrid/s4u.hpp") == "<simgrid/s4u.hpp> belongs in a .cpp file");
  CHECK(objection("sim", true, "simgrid/forward.h").empty());
  CHECK(objection("perf", false, "simgrid/forward.h") ==
        "<simgrid/forward.h> belongs in 'sim' only");
  CHECK(objection("perf", false, "boost/spirit.hpp") ==
        "<boost/spirit.hpp> has no room; give it one in the table");
  CHECK(objection("study", false, "report/table.hpp") == "'study' may not include 'report'");
  CHECK(objection("study", false, "store/store.hpp").empty());
  CHECK(objection("sim", false, "simgrid/s4u.hpp").empty());
  CHECK(objection("perf", true, "base/units.hpp").empty());
  CHECK(objection("perf", true, "perf/step_cost.hpp").empty());
  CHECK(objection("base", true, "vector").empty());
}
