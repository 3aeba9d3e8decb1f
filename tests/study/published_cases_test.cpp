// What published rows become, by the shipped rules and catalog.  The rows are made up, unless said.
#include "study/published_cases.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "metrics/metric_table.hpp"
#include "study/published_conditions.hpp"
#include "support/in_process.hpp"

namespace {

using namespace tokenyard;
using study::MeasuredCase;

// One row of the kind "published"; the fields are those that the rules look at.
struct Row {
  std::string id, source, hardware, devices, model, precision, scenario, isl, osl, load, metric;
  std::string value;
  std::string unit = "tok/s";
};

std::string text_of(const std::vector<Row>& rows) {
  std::string text;
  for (const std::string& column : study::columns_of(study::MeasuredKind::published))
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
    for (const std::string& column : study::columns_of(study::MeasuredKind::published)) {
      text += (first ? "\"" : ",\"") + fields[column] + '"';
      first = false;
    }
  }
  return text + '\n';
}

catalog::Catalog& shipped() {
  static catalog::Catalog catalog{TOKENYARD_SOURCE_DIR};
  return catalog;
}

std::vector<MeasuredCase> cases_of(const std::vector<Row>& rows) {
  const study::MeasuredCsv csv("made-up.csv", text_of(rows));
  return study::published_cases(csv, shipped());
}

std::string label(const MeasuredCase& found, const std::string& name) {
  for (const auto& [known, value] : found.labels) {
    if (known == name) return value;
  }
  return "no such label";
}

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
          "ms"};
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

}  // namespace

TEST_CASE(
    "patterns: '*' is any text, '|' tells alternatives apart, and the whole text must match") {
  CHECK(study::matches("MLPerf*", "MLPerf Inference v5.1"));
  CHECK(study::matches("*", ""));
  CHECK(study::matches("tg* @ d*", "tg32 @ d32768"));
  CHECK_FALSE(study::matches("tg* @ d*", "tg128"));
  CHECK(study::matches("H100|H200", "H200"));
  CHECK_FALSE(study::matches("H100|H200", "H200 NVL"));
  CHECK_FALSE(study::matches("", "H200"));
}

TEST_CASE(
    "the rows of one MLPerf run are one case: 16 H200 are two nodes with a replica of eight each, "
    "Poisson at the scheduled rate, times in seconds") {
  const auto cases = cases_of({server("S1", "output_throughput", "320"),
                               server("S2", "ttft_p99", "4500"), server("S3", "tpot_mean", "50")});
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
  REQUIRE(found.measurements.size() == 3);
  CHECK(found.measurements[0].metric == "output_tokens_per_s");
  CHECK(found.measurements[0].value == doctest::Approx(320.0));
  CHECK(found.measurements[1].metric == "ttft_p99_s");
  CHECK(found.measurements[1].value == doctest::Approx(4.5));
  CHECK(found.measurements[2].metric == "tpot_mean_s");
  CHECK(found.measurements[2].value == doctest::Approx(0.05));
  CHECK(found.measurements[2].where.line == 4);
  CHECK_FALSE(found.assumptions.empty());
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
  const auto cases = cases_of({{"E1", "LMSYS/SGLang large-scale EP on 96 H100", "H100-SXM x8/node",
                                "72", "DeepSeek-V3", "fp8", "decode only, EP72 9 nodes", "2000", "",
                                "256 req/GPU", "decode_throughput_per_node", "20480"}});
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
  const Row negative = server("N2", "ttft_mean", "-3");
  std::vector<int> lines;
  try {
    cases_of({nameless, negative});
  } catch (const InputError& error) {
    for (const Diagnostic& d : error.diagnostics()) lines.push_back(d.place.line);
  }
  CHECK(lines == std::vector<int>{2, 3});
}

TEST_CASE("rules: unknown columns, metrics and numbers are refused together, each at its place") {
  namespace fs = std::filesystem;
  const fs::path file =
      fs::temp_directory_path() / ("published-conditions-" + std::to_string(getpid()) + ".yaml");
  std::ofstream(file) << "name: t\n"
                         "rules:\n"
                         "  - when: {modle: x}\n"
                         "    metric: ttft_men_s\n"
                         "  - when: {}\n"
                         "    value: 2 * valu\n"
                         "    set: {duration: =lod}\n";
  std::vector<std::string> messages;
  try {
    study::load_conditions(file.string());
  } catch (const InputError& error) {
    for (const Diagnostic& d : error.diagnostics())
      messages.push_back(std::to_string(d.place.line) + " " + d.message);
  }
  fs::remove(file);
  REQUIRE(messages.size() == 4);
  CHECK(messages[0] == "3 unknown key 'modle'; did you mean 'model'?");
  CHECK(messages[1] == "4 there is no metric 'ttft_men_s'; did you mean 'ttft_mean_s'?");
  CHECK(messages[2] == "6 '2 * valu': unknown name 'valu'; did you mean 'value'?");
  CHECK(messages[3] == "7 'lod': unknown name 'lod'; did you mean 'load'?");
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
  const study::MeasuredCsv csv(file.string());
  const auto cases = study::published_cases(csv, shipped());
  std::map<int, int> seen;
  std::size_t compared = 0;
  for (const MeasuredCase& found : cases) {
    CHECK(!found.plans.empty() == found.problem.empty());
    for (const study::Measurement& m : found.measurements) ++seen[m.where.line];
    if (found.plans.empty()) continue;
    compared += found.measurements.size();
    for (const study::Measurement& m : found.measurements)
      CHECK(metrics::find_metric(m.metric) != nullptr);
  }
  CHECK(seen.size() == csv.size());
  for (const auto& [line, times] : seen) CHECK_MESSAGE(times == 1, "line ", line);
  // All but 129 of 685: 96 of models whose architecture is not in the catalog, 14 speeds that are
  // given twice, 11 counts and prices of a production day, and 8 others.
  CHECK(csv.size() == 685);
  CHECK(compared == 556);
}
