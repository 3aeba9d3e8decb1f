// What published rows become, by the shipped rules and catalog.  The rows are made up, unless said.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "metrics/metric_table.hpp"
#include "study/published_conditions.hpp"
#include "study/published_rows.hpp"
#include "support/in_process.hpp"

namespace tokenyard::study {
namespace {

Row server(const std::string& id, const std::string& metric, const std::string& value) {
  return {id,
          "MLPerf made up",
          "NVIDIA H200-SXM-141GB x8/node",
          "16",
          "llama3.1-405b",
          "fp8",
          "Server",
          "long",
          "640",
          "Poisson, 0.5 samples/s scheduled; SLO",
          metric,
          value,
          metric == "output_throughput" ? "Tokens/s" : "ms"};
}

Row bench(const std::string& isl, const std::string& metric, const std::string& value) {
  return {"B1",
          "kyuz0 Strix Halo made up",
          "AMD Ryzen AI Max+ 395 (made up)",
          "1",
          "gpt-oss-20b-mxfp4",
          "BF16",
          "llama-bench",
          isl,
          "",
          "1",
          metric,
          value};
}

TEST_CASE(
    "the rows of one MLPerf run are one case: 16 H200 are two nodes with a replica of eight each, "
    "Poisson at the scheduled rate, times in seconds") {
  const auto cases = cases_of({server("S1", "ttft_p99", "4500"), server("S2", "tpot_mean", "50")});
  REQUIRE(cases.size() == 1);
  const MeasuredCase& found = cases.front();
  REQUIRE_MESSAGE(!found.plans.empty(), found.problem);
  CHECK(found.id == "S1");
  CHECK(label(found, "device") == "nvidia-h200-sxm-141gb");
  CHECK(label(found, "benchmark") == "MLPerf server");
  CHECK(label(found, "regime") == "offered load");
  CHECK(label(found, "parallelism") == "tp8");
  const scenario::PoolPlan& pool = found.plans.front().pools.front();
  CHECK(pool.count == 2);
  CHECK(pool.deployments.front().replicas == 2);
  const auto& generator = *found.plans.front().scenario.workload.spec.generator;
  CHECK(generator.rate.base() == doctest::Approx(0.5));
  CHECK(*generator.output.mean == doctest::Approx(640.0));
  // 1,000 requests at 0.5 /s.
  CHECK(found.plans.front().scenario.duration->base() == doctest::Approx(2000.0));
  REQUIRE(found.measurements.size() == 2);
  CHECK(found.measurements[0].metric == "ttft_p99_s");
  CHECK(found.measurements[0].value == doctest::Approx(4.5));
  CHECK(found.measurements[1].metric == "tpot_mean_s");
  CHECK(found.measurements[1].value == doctest::Approx(0.05));
  CHECK(found.measurements[1].where.line == 3);
  CHECK_FALSE(found.assumptions.empty());
}

TEST_CASE(
    "tokens/s of an offered load are no prediction: 0.5 requests/s of 640 tokens are 320 tokens/s "
    "on "
    "any machine that keeps up") {
  const auto cases =
      cases_of({server("S1", "output_throughput", "320"), server("S2", "tpot_mean", "50")});
  REQUIRE(cases.size() == 2);
  CHECK(cases[0].problem ==
        "the offered rate times the tokens of an answer, which the simulation is given; right by "
        "construction");
  CHECK(cases[0].measurements.front().metric == "output_throughput");
  CHECK(cases[1].problem == "");
}

TEST_CASE(
    "energy that its source divided by itself is no measurement of its own, its power is one") {
  Row watts = server("W1", "system_power_avg", "9000");
  watts.unit = "W (wall, whole server)";
  Row joules = server("W2", "energy_per_output_token", "28");
  joules.unit = "J/token (derived: W/(tok/s))";
  const auto cases = cases_of({watts, joules});
  REQUIRE(cases.size() == 2);
  CHECK(cases[0].measurements.front().metric == "it_power_mean_w");
  CHECK(cases[0].measurements.front().value == 9000.0);
  CHECK(cases[1].problem ==
        "its source divides the power of the run by its output_throughput, which are rows of their "
        "own");
}

TEST_CASE(
    "prompts and answers of one run that are told apart are two cases; 32 sequences at 400 "
    "tokens/s "
    "together get one each in 80 ms") {
  Row prompts{"D1",
              "LMSYS DGX Spark made up",
              "DGX Spark GB10",
              "1",
              "Llama-3.1-8B",
              "fp8",
              "SGLang",
              "",
              "",
              "batch 32",
              "prefill_throughput",
              "8000"};
  Row answers = prompts;
  answers.id = "D2";
  answers.metric = "decode_throughput";
  answers.value = "400";
  const auto cases = cases_of({prompts, answers});
  REQUIRE(cases.size() == 2);
  CHECK(cases[0].measurements.front().metric == "input_tokens_per_s");
  CHECK(cases[0].measurements.front().value == doctest::Approx(8000.0));
  CHECK(cases[0].plans.front().scenario.workload.spec.generator->output.value == 1);
  CHECK(cases[1].measurements.front().metric == "itl_p50_s");
  CHECK(cases[1].measurements.front().value == doctest::Approx(0.08));
  CHECK(cases[1].plans.front().scenario.workload.spec.generator->output.value == 128);
}

TEST_CASE(
    "a prompt of 2,048 tokens behind 32,768 cached ones is a session's second turn; at 512 "
    "tokens/s "
    "its first token comes after 4 s") {
  const auto cases = cases_of({bench("pp2048 @ d32768", "prefill_throughput", "512")});
  REQUIRE(cases.size() == 1);
  REQUIRE_MESSAGE(!cases.front().plans.empty(), cases.front().problem);
  CHECK(cases.front().measurements.front().metric == "ttft_mean_s");
  CHECK(cases.front().measurements.front().value == doctest::Approx(4.0));
  scenario::Plan plan = cases.front().plans.front();
  plan.scenario.store_requests = scenario::StoreRequests::all;
  const auto result = test::run_here(plan);
  REQUIRE(result.requests.size() == 2);
  const metrics::RequestRow& second = test::row_of(result, 1);
  // The context, the token that answered it, and the prompt.
  CHECK(second.input_tokens == 32'768 + 1 + 2'048);
  CHECK(second.cached_tokens == 32'768);
  CHECK(test::metric_of(result, "ttft_mean_s") ==
        doctest::Approx(second.first_token_s - second.arrival_s));
}

TEST_CASE("decoding behind 32,768 tokens: 32 tokens after the first, at the stated tokens/s") {
  const auto cases = cases_of({bench("tg32 @ d32768", "decode_throughput", "50")});
  REQUIRE(cases.size() == 1);
  REQUIRE_MESSAGE(!cases.front().plans.empty(), cases.front().problem);
  CHECK(cases.front().measurements.front().metric == "output_tokens_per_s_per_user");
  CHECK(cases.front().measurements.front().value == doctest::Approx(50.0));
  const auto& generator = *cases.front().plans.front().scenario.workload.spec.generator;
  CHECK(generator.input.value == 32'768);
  CHECK(generator.output.value == 33);
}

TEST_CASE(
    "256 experts and 32 copies on 72 devices are four each; 256 sequences a device at 20,480 "
    "tokens/s "
    "a node of eight get a token every 100 ms") {
  const auto cases =
      cases_of({{"E1", "LMSYS/SGLang large-scale EP on 96 H100", "H100-SXM x8/node", "72",
                 "DeepSeek-V3", "fp8", "decode only, EP72 9 nodes", "2000", "", "256 req/GPU",
                 "decode_throughput_per_node", "20480", "tok/s/node"}});
  REQUIRE(cases.size() == 1);
  REQUIRE_MESSAGE(!cases.front().plans.empty(), cases.front().problem);
  CHECK(label(cases.front(), "parallelism") == "tp1 ep72 adp72");
  CHECK(cases.front().plans.front().pools.front().count == 9);
  CHECK(cases.front().measurements.front().metric == "itl_p50_s");
  CHECK(cases.front().measurements.front().value == doctest::Approx(0.1));
}

TEST_CASE("rows that no rule covers are cases with the reason, and never lost") {
  Row hardware = server("P1", "ttft_mean", "10");
  hardware.hardware = "Abacus 9000";
  Row model = server("P2", "ttft_mean", "10");
  model.model = "parrot-1b";
  Row metric = server("P3", "laughs_per_s", "10");
  Row load = server("P4", "ttft_mean", "10");
  load.source = "a blog nobody knows";
  const auto cases = cases_of({hardware, model, metric, load});
  REQUIRE(cases.size() == 4);
  CHECK(cases[0].problem == "no rule names a node for its hardware");
  CHECK(cases[1].problem == "no rule names its model");
  CHECK(cases[2].problem == "no rule says what its metric 'laughs_per_s' is in a simulation");
  CHECK(cases[2].measurements.front().metric == "laughs_per_s");
  CHECK(cases[3].problem == "no rule says what its load is");
  for (const MeasuredCase& found : cases) {
    CHECK(found.plans.empty());
    CHECK(found.labels.size() == 6);
  }
}

TEST_CASE("all problems of a file's rows are reported at once") {
  Row nameless = server("", "ttft_mean", "10");
  const Row negative = server("N2", "tpot_mean", "-3");
  std::vector<int> lines;
  try {
    cases_of({nameless, negative});
  } catch (const InputError& error) {
    for (const Diagnostic& d : error.diagnostics()) lines.push_back(d.place.line);
  }
  CHECK(lines == std::vector<int>{2, 3});
}

TEST_CASE("a metric twice in one run and an id of two runs are refused, each in its line") {
  Row other = server("S1", "tpot_mean", "50");
  other.osl = "641";
  std::vector<std::string> messages;
  try {
    cases_of({server("S1", "ttft_p99", "4500"), server("S1", "ttft_p99", "4500"), other});
  } catch (const InputError& error) {
    for (const Diagnostic& d : error.diagnostics())
      messages.push_back(std::to_string(d.place.line) + " " + d.path + ": " + d.message);
  }
  REQUIRE(messages.size() == 2);
  CHECK(messages[0] == "3 metric: a second one of this run; the first is on line 2");
  CHECK(messages[1] == "4 id: 'S1' is the id of another run, on line 2");
}

TEST_CASE("real data: each of the published rows is in one case, compared or with its reason") {
  namespace fs = std::filesystem;
  const char* given = std::getenv("TOKENYARD_DATA");
  const fs::path data =
      given != nullptr ? fs::path(given) : fs::path(TOKENYARD_SOURCE_DIR) / "../shared/data";
  const fs::path file = data / "validation/published.csv";
  if (!fs::exists(file)) {
    MESSAGE("skipped: there is no ", file.string(), " (set TOKENYARD_DATA)");
    return;
  }
  const MeasuredCsv csv(file.string());
  const auto cases = published_cases(csv, shipped());
  std::map<int, int> seen;
  std::size_t compared = 0;
  for (const MeasuredCase& found : cases) {
    CHECK(!found.plans.empty() == found.problem.empty());
    for (const Measurement& m : found.measurements) ++seen[m.where.line];
    if (found.plans.empty()) continue;
    compared += found.measurements.size();
    for (const Measurement& m : found.measurements)
      CHECK(metrics::find_metric(m.metric) != nullptr);
  }
  CHECK(seen.size() == csv.size());
  for (const auto& entry : seen) CHECK_MESSAGE(entry.second == 1, "line ", entry.first);
  // All but 196 of 685: 96 of models whose architecture is not in the catalog, 61 of load that was
  // offered, 14 speeds and 6 energies that are given twice, 10 counts and prices of a production day,
  // and 9 others.
  CHECK(csv.size() == 685);
  CHECK(compared == 489);
}

}  // namespace
}  // namespace tokenyard::study
