// The accuracy that README promises is the one that was measured.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "catalog/catalog.hpp"
#include "transcript.hpp"

namespace tokenyard::test {
namespace {

std::string readme() {
  std::ifstream in(TOKENYARD_SOURCE_DIR "/README.md");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// "6.69 % / 22.2 %"
std::string shown(const catalog::ErrorBand& band) {
  return three_digits(100.0 * band.median) + " % / " + three_digits(100.0 * band.p90) + " %";
}

}  // namespace

TEST_CASE("README says how far off the calibration that ships is, before and after") {
  catalog::Catalog catalog(TOKENYARD_SOURCE_DIR);
  Diagnostics diagnostics;
  const auto calibrations = catalog.calibrations(diagnostics);
  diagnostics.throw_if_any();
  REQUIRE_FALSE(calibrations.empty());
  const auto& errors = calibrations.front()->errors;
  const auto of = [&](const char* metric) {
    const auto found = std::find_if(errors.begin(), errors.end(),
                                    [&](const auto& e) { return e.metric == metric; });
    REQUIRE(found != errors.end());
    return *found;
  };
  const catalog::CalibrationError tpot = of("tpot_mean_s"), ttft = of("ttft_mean_s");
  REQUIRE(tpot.five_fold.has_value());
  REQUIRE(tpot.leave_one_model_out.has_value());
  const std::string text = readme();
  const auto has_row = [&](const catalog::ErrorBand& a, const catalog::ErrorBand& b) {
    const std::string row = " | " + shown(a) + " | " + shown(b) + " |";
    CHECK_MESSAGE(text.find(row) != std::string::npos, "README.md lacks the row '", row, "'");
  };
  has_row(tpot.uncalibrated, ttft.uncalibrated);
  has_row(tpot.fitted, ttft.fitted);
  has_row(*tpot.five_fold, *ttft.five_fold);
  has_row(*tpot.leave_one_model_out, *ttft.leave_one_model_out);
}

}  // namespace tokenyard::test
