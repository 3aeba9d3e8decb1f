// The verdicts that the program reaches, against those that were reached by hand before, from the
// publications and without the claim files.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "audit_claims.hpp"

namespace tokenyard::study {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = TOKENYARD_SOURCE_DIR;

// By id.  The file: a line of names, then id,verdict.
std::map<std::string, std::string> hand_verdicts() {
  std::map<std::string, std::string> verdicts;
  std::ifstream file(kRoot / "tests" / "study" / "hand_verdicts.csv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::size_t comma = line.find(',');
    verdicts[line.substr(0, comma)] = line.substr(comma + 1);
  }
  return verdicts;
}

Audit shipped_audit() {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(kRoot / "scenarios" / "claims"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  catalog::Catalog catalog(kRoot.string());
  std::vector<scenario::Plan> plans;
  for (const fs::path& file : files) {
    for (scenario::Plan& plan :
         scenario::load_plans(file.string(), {}, catalog, {.fits = perf::fits})) {
      plans.push_back(std::move(plan));
    }
  }
  return audit(plans, catalog, {});
}

}  // namespace

TEST_CASE("of 150 claims and more, 95 % get the verdict that they were given by hand") {
  const std::map<std::string, std::string> by_hand = hand_verdicts();
  CHECK(by_hand.size() >= 150);
  std::set<std::string> of_hand, missing;
  for (const auto& [id, verdict] : by_hand) {
    of_hand.insert(verdict);
    missing.insert(id);
  }
  // Every verdict on a claim; "model is off" is one on us.
  CHECK(of_hand ==
        std::set<std::string>{"holds", "needs an assumption", "inconsistent", "impossible"});
  std::size_t compared = 0, agreed = 0;
  std::string differing;
  for (const AuditRow& row : shipped_audit().rows) {
    const auto hand = by_hand.find(row.id);
    if (hand == by_hand.end()) continue;
    missing.erase(row.id);
    ++compared;
    if (hand->second == text_of(row.verdict)) {
      ++agreed;
    } else {
      differing += row.id + ": by hand '" + hand->second + "', audited '" +
                   std::string(text_of(row.verdict)) + "' " + row.because + '\n';
    }
  }
  CHECK(missing == std::set<std::string>{});
  CHECK(compared >= 150);
  CHECK_MESSAGE(agreed * 100 >= compared * 95, differing);
}

}  // namespace tokenyard::study
