#include "study/steady_cases.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "study/validation.hpp"
#include "support/toy_yard.hpp"

namespace {

using namespace tokenyard;
using study::MeasuredCase;

const std::string kHeader =
    "id,device,num_devices,model,weights,expert_weights,tensor_parallel,attention_data_parallel,"
    "expert_parallel,input_tokens,output_tokens,concurrency,metric,value,unit,spread_low,"
    "spread_high,repeats,engines\n";

struct Row {
  std::string id = "a", device = "toy", devices = "1", model = "toy-4b", weights = "bf16",
              tensor = "1", input = "100", output = "11", concurrency = "1", metric = "tpot_mean",
              value = "10", unit = "ms", spread = "10,10,1", engines = "pencil";
  [[nodiscard]] std::string text() const {
    return id + ',' + device + ',' + devices + ',' + model + ',' + weights + ',' + weights + ',' +
           tensor + ",1,1," + input + ',' + output + ',' + concurrency + ',' + metric + ',' +
           value + ',' + unit + ',' + spread + ',' + engines + '\n';
  }
};

// The toy's dense model under the name of one that InferenceMAX measures.
void write_model(const test::ToyYard& yard, const std::string& name) {
  const std::string path = "workloads/models/" + name + ".yaml";
  yard.write(path, "name: " + name +
                       "\nsource: pencil\nconfidence: assumed\nlayers: 8\nhidden: 8000\n"
                       "vocabulary: 100000\n"
                       "attention: {kind: gqa, heads: 64, kv_heads: 16, head_dim: 125}\n"
                       "ffn: {kind: dense, hidden: 15000, gated: false}\nparameters: 4.0 G\n"
                       "active_parameters: 4.0 G\nmax_context: 100000\ntied_embeddings: true\n");
}

std::vector<MeasuredCase> cases_of(const test::ToyYard& yard, const std::vector<Row>& rows) {
  std::string text = kHeader;
  for (const Row& row : rows) text += row.text();
  catalog::Catalog catalog(yard.file(""));
  return study::steady_cases(study::MeasuredCsv("m.csv", text), catalog);
}

const std::string* label(const MeasuredCase& c, const std::string& name) {
  for (const auto& names : {&c.labels, &c.conditions}) {
    for (const auto& [key, value] : *names) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

}  // namespace

TEST_CASE("rows of one id are one case: ten requests for each in flight, as the row says") {
  const test::ToyYard yard;
  const auto cases = cases_of(
      yard,
      {{.concurrency = "8"},
       {.concurrency = "8", .metric = "ttft_mean", .value = "2", .unit = "s", .spread = "1,4,3"},
       {.id = "b", .devices = "2", .tensor = "2"}});
  REQUIRE(cases.size() == 2);
  const MeasuredCase& c = cases[0];
  REQUIRE(!c.plans.empty());
  CHECK(c.problem.empty());
  REQUIRE(c.measurements.size() == 2);
  CHECK(c.measurements[0].metric == "tpot_mean_s");
  CHECK(c.measurements[0].value == doctest::Approx(0.010).epsilon(1e-12));
  CHECK_FALSE(c.measurements[0].low.has_value());
  CHECK(c.measurements[1].value == 2.0);
  CHECK(c.measurements[1].low == 1.0);
  CHECK(c.measurements[1].high == 4.0);
  CHECK(c.measurements[1].where.line == 3);
  const auto& generator = *c.plans.front().scenario.workload.spec.generator;
  CHECK(generator.concurrency == 8);
  CHECK(generator.requests == 80);
  CHECK(c.plans.front().pools.front().node.name == "toy-node");
  CHECK(c.plans.front().pools.front().deployments.front().replicas == 1);
  CHECK(cases[1].plans.front().pools.front().deployments.front().spec.tensor_parallel == 2);
  CHECK(*label(c, "device") == "toy");
  CHECK(*label(c, "precision") == "bf16");
  CHECK(*label(c, "parallelism") == "tp1");
  CHECK(*label(c, "concurrency_band") == "5-16");
  CHECK(*label(c, "concurrency") == "8");
  CHECK(*label(cases[1], "parallelism") == "tp2");
  CHECK(c.assumptions.size() == 3);
}

TEST_CASE("the KV cache is in bf16; in fp8 where InferenceMAX serves fp8, but of gpt-oss") {
  const test::ToyYard yard;
  write_model(yard, "llama-3.1-70b");
  write_model(yard, "gpt-oss-20b");
  const Row known{.id = "b",
                  .model = "llama-3.1-70b",
                  .weights = "fp8",
                  .input = "1024",
                  .output = "1024",
                  .engines = "trtllm vllm"};
  Row other = known, gpt = known;
  other.id = "c";
  other.model = "toy-4b";
  gpt.id = "d";
  gpt.model = "gpt-oss-20b";
  const auto cases = cases_of(yard, {{.weights = "fp8", .engines = "trtllm"}, known, other, gpt});
  const auto kv = [&](std::size_t at, std::size_t plan) {
    return cases.at(at).plans.at(plan).pools.front().deployments.front().spec.kv;
  };
  CHECK(kv(0, 0) == "bf16");
  CHECK(kv(1, 0) == "fp8");
  CHECK(kv(1, 1) == "fp8");
  CHECK(kv(2, 0) == "bf16");
  CHECK(kv(3, 0) == "bf16");
  CHECK(cases[1].assumptions.back() ==
        "vllm: chunked-prefill, KV cache in fp8, up to 512 sequences and 8192 tokens in a step");
}

TEST_CASE("each serving software is run as it comes, InferenceMAX draws lengths from 0.8 to 1") {
  const test::ToyYard yard;
  for (const char* name : {"llama-3.1-70b", "gpt-oss-20b", "deepseek-v3"}) write_model(yard, name);
  const auto scheduler = [](const MeasuredCase& c) {
    return c.plans.front().scenario.serving.scheduler;
  };
  const auto known = [](const char* id, const char* model, const char* engines) {
    return Row{.id = id,
               .model = model,
               .input = "1024",
               .output = "8192",
               .concurrency = "8",
               .engines = engines};
  };
  const auto cases =
      cases_of(yard, {{.id = "a", .input = "512", .concurrency = "8", .engines = "trtllm"},
                      {.id = "b", .input = "512", .concurrency = "8", .engines = "vllm"},
                      {.id = "c", .input = "512", .concurrency = "8", .engines = "sglang"},
                      {.id = "d", .input = "1000", .concurrency = "8", .engines = "sglang"},
                      known("e", "llama-3.1-70b", "vllm"),
                      known("f", "llama-3.1-70b", "trtllm"),
                      known("g", "gpt-oss-20b", "trtllm"),
                      known("h", "deepseek-v3", "trtllm"),
                      known("i", "deepseek-v3", "sglang")});
  CHECK(scheduler(cases[0]).max_batch == 8);
  CHECK(scheduler(cases[0]).max_batch_tokens == 520);
  CHECK(scheduler(cases[1]).max_batch_tokens == 2048);
  CHECK(scheduler(cases[2]).policy == scenario::BatchPolicy::prefill_first);
  CHECK(scheduler(cases[3]).policy == scenario::BatchPolicy::chunked_prefill);
  CHECK(scheduler(cases[4]).max_batch_tokens == 8192);
  CHECK(scheduler(cases[4]).max_batch == 512);
  CHECK(scheduler(cases[5]).max_batch_tokens == 16'384);
  CHECK(scheduler(cases[6]).max_batch_tokens == 20'000);
  CHECK(scheduler(cases[7]).max_batch_tokens == 1024 + 8 + 64);
  CHECK(scheduler(cases[8]).policy == scenario::BatchPolicy::prefill_first);
  CHECK(scheduler(cases[8]).max_batch == 256);
  const auto& lengths = cases[4].plans.front().scenario.workload.spec.generator->input;
  CHECK(lengths.kind == workload::LengthKind::uniform);
  CHECK(lengths.min == 819);
  CHECK(lengths.max == 1024);
}

TEST_CASE("concurrency falls into bands, both ends included") {
  const test::ToyYard yard;
  std::vector<Row> rows;
  std::string bands;
  for (const char* c : {"1", "4", "5", "16", "17", "64", "65", "128", "129", "512"})
    rows.push_back({.id = c, .concurrency = c});
  for (const MeasuredCase& c : cases_of(yard, rows)) bands += *label(c, "concurrency_band") + ' ';
  CHECK(bands == "1-4 1-4 5-16 5-16 17-64 17-64 65-128 65-128 129+ 129+ ");
}

TEST_CASE("what the catalog lacks and what does not fit is a case with the reason and no plan") {
  const test::ToyYard yard;
  const auto cases = cases_of(yard, {{.id = "a", .device = "toi"},
                                     {.id = "b", .model = "toy-5b"},
                                     {.id = "c", .devices = "3", .tensor = "3"},
                                     {.id = "d", .devices = "2"},
                                     {.id = "e", .weights = "wide"},
                                     {.id = "f", .weights = "bf17"},
                                     {.id = "g"}});
  REQUIRE(cases.size() == 7);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(cases[i].plans.empty());
    CHECK(cases[i].measurements.size() == 1);
  }
  CHECK(cases[0].problem == "no device 'toi' in the catalog; did you mean 'toy'?");
  CHECK(cases[1].problem == "no model 'toy-5b' in the catalog; did you mean 'toy-4b'?");
  CHECK(cases[2].problem == "no node of the catalog has 3 of 'toy'; the largest, toy-node, has 2");
  CHECK(cases[3].problem == "2 devices for tensor_parallel 1 * attention_data_parallel 1");
  // 4.0 G parameters of 32 bits are all of a device's 16 GB.
  CHECK(cases[4].problem.find("toy-4b does not fit toy on 1 device: weights 16.0 GB") == 0);
  CHECK(cases[5].problem.find("'bf17'") != std::string::npos);
  CHECK(!cases[6].plans.empty());
}

TEST_CASE("everything that is wrong with a file is said at once") {
  const test::ToyYard yard;
  const std::string message = yard.message_of([&] {
    cases_of(yard, {{.metric = "tpot_men"},
                    {.id = "b", .unit = "h"},
                    {.id = "c", .value = "0"},
                    {.id = "d", .spread = "11,12,2"},
                    {.id = "e", .concurrency = "1.5"},
                    {.id = "f"},
                    {.id = "f", .input = "200", .metric = "ttft_mean"},
                    {.id = "g"},
                    {.id = "g"}});
  });
  for (const char* expected :
       {"m.csv:2:41: error: metric: 'tpot_men' is no time that is simulated; did you mean "
        "'tpot_mean'?\n",
        "m.csv:3:54: error: unit: 'h' is no unit of time; accepted: s, ms, us\n",
        "m.csv:4:51: error: value: '0' is not more than 0\n",
        "m.csv:5:57: error: spread_low: the spread of 11 to 12 does not hold the value, 10\n",
        "m.csv:6:39: error: concurrency: '1.5' is not a whole number of at least 1\n",
        "m.csv:8:32: error: input_tokens: '200' is not the '100' of line 7, which has the same "
        "id\n",
        "m.csv:10:41: error: metric: a second one of this id; the first is on line 9\n"}) {
    CAPTURE(message);
    CHECK_MESSAGE(message.find(expected) != std::string::npos, expected);
  }
  std::size_t errors = 0;
  for (std::size_t at = 0; (at = message.find(": error: ", at)) != std::string::npos; ++at)
    ++errors;
  CHECK(errors == 7);
}

TEST_CASE("the rows of one id were measured with the same serving software") {
  const test::ToyYard yard;
  const std::string message = yard.message_of([&] {
    cases_of(yard, {{.engines = "vllm"}, {.metric = "ttft_mean", .engines = "trtllm"}});
  });
  CHECK(message.find("m.csv:3:") == 0);
  CHECK(message.find(
            "error: engines: 'trtllm' is not the 'vllm' of line 2, which has the same id\n") !=
        std::string::npos);
}

TEST_CASE("real data: 716 measured conditions, all but three simulated") {
  namespace fs = std::filesystem;
  const char* given = std::getenv("TOKENYARD_DATA");
  const fs::path data =
      given != nullptr ? fs::path(given) : fs::path(TOKENYARD_SOURCE_DIR) / "../shared/data";
  const std::string file = (data / "validation/serving-steady.csv").string();
  if (!fs::exists(file)) {
    MESSAGE("skipped: there is no ", file, " (set TOKENYARD_DATA)");
    return;
  }
  catalog::Catalog catalog(TOKENYARD_SOURCE_DIR);
  const auto cases = study::steady_cases(study::MeasuredCsv(file), catalog);
  CHECK(cases.size() == 716);
  std::size_t measurements = 0, without = 0;
  for (const MeasuredCase& c : cases) {
    measurements += c.measurements.size();
    if (!c.plans.empty()) continue;
    ++without;
    // 235 GB of weights on one device of 141 GB.
    CHECK(c.problem.find("qwen3-235b-a22b does not fit nvidia-h200-sxm-141gb on 1 device") == 0);
  }
  CHECK(measurements == 1432);
  CHECK(without == 3);
}
