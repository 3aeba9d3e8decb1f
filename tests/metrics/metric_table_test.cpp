#include "metrics/metric_table.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

using namespace tokenyard;
using namespace tokenyard::metrics;

namespace {
std::string shown(const char* name, double value) {
  const MetricInfo* metric = find_metric(name);
  REQUIRE(metric != nullptr);
  return format_metric(*metric, value);
}
}  // namespace

TEST_CASE("every name of the database contract is in the table, once") {
  std::set<std::string> names;
  for (const MetricInfo& m : metric_table()) CHECK(names.insert(m.name).second);
  for (const char* latency : {"ttft", "tpot", "itl", "e2el", "queue"}) {
    for (const char* statistic : {"mean", "p50", "p90", "p95", "p99"}) {
      CHECK(names.count(std::string(latency) + '_' + statistic + "_s") == 1);
    }
  }
  for (const char* name : {"requests_per_s",
                           "input_tokens_per_s",
                           "output_tokens_per_s",
                           "total_tokens_per_s",
                           "output_tokens_per_s_per_device",
                           "output_tokens_per_s_per_user",
                           "goodput_requests_per_s",
                           "slo_attainment",
                           "mfu",
                           "mbu",
                           "kv_utilization",
                           "prefix_hit_rate",
                           "batch_mean",
                           "preemptions",
                           "energy_per_output_token_j",
                           "it_power_mean_w",
                           "it_power_peak_w",
                           "facility_energy_j",
                           "output_tokens_per_j",
                           "capex_usd",
                           "opex_usd_per_year",
                           "tco_usd",
                           "usd_per_mtok_input",
                           "usd_per_mtok_output",
                           "usd_per_mtok_blended",
                           "usd_per_device_hour",
                           "kgco2_per_mtok_output",
                           "break_even_utilization"}) {
    CAPTURE(name);
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE(
    "every metric has a unit and a definition of one sentence, and its name ends with its unit") {
  for (const MetricInfo& m : metric_table()) {
    CAPTURE(m.name);
    CHECK_FALSE(m.unit.empty());
    CHECK(m.definition.size() > 10);
    CHECK(m.definition.find(". ") == std::string::npos);
    if (m.dim == kTime) CHECK(m.name.substr(m.name.size() - 2) == "_s");
    if (m.dim == kEnergy) CHECK(m.name.substr(m.name.size() - 2) == "_j");
    if (m.dim == kEnergy / kTime) CHECK(m.name.substr(m.name.size() - 2) == "_w");
  }
}

TEST_CASE("an unknown metric suggests the nearest") {
  CHECK(find_metric("ttft_p98_s") == nullptr);
  CHECK(metric_suggestion("output_token_per_s") == "; did you mean 'output_tokens_per_s'?");
}

TEST_CASE("people see milliseconds, percents and prefixes, three significant digits") {
  CHECK(shown("ttft_p99_s", 0.41234) == "412 ms");
  CHECK(shown("mfu", 0.12345) == "12.3 %");
  CHECK(shown("output_tokens_per_s", 17000.0) == "17.0 ktoken/s");
  CHECK(shown("requests_per_s", 3.9) == "3.90 /s");
  CHECK(shown("usd_per_mtok_output", 0.5312) == "0.531 USD/Mtok");
  CHECK(shown("opex_usd_per_year", 1.2e6) == "1.20 MUSD/year");
  CHECK(shown("tco_usd", 2.5e6) == "2.50 MUSD");
  CHECK(shown("energy_per_output_token_j", 0.101) == "0.101 J/token");
  CHECK(shown("it_power_mean_w", 10401.0) == "10.4 kW");
  CHECK(shown("fabric_bisection_bytes_per_s", 1.6e12) == "1.60 TB/s");
  CHECK(shown("ttft_p99_s", std::nan("")) == "n/a");
  CHECK(shown("devices", 16) == "16");
  CHECK(shown("batch_mean", 16.25) == "16.2");
  CHECK(shown("requests_finished", 12'345'678) == "1.23e+07");
}

TEST_CASE("the printed list has one line a metric: name, unit, which way is better, definition") {
  const Table listing = metric_listing();
  REQUIRE(listing.rows.size() == metric_table().size());
  CHECK(listing.columns == std::vector<std::string>{"metric", "unit", "better", "definition"});
  CHECK(listing.rows[0][0] == Cell("ttft_mean_s"));
  CHECK(listing.rows[0][2] == Cell("lower"));
}
