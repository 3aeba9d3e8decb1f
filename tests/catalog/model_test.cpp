#include "catalog/model.hpp"

#include <doctest/doctest.h>

#include "catalog/catalog.hpp"
#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

Model shipped(const std::string& name) {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  const Model* model = catalog.model(name, diagnostics);
  diagnostics.throw_if_any();
  REQUIRE(model != nullptr);
  return *model;
}

// h 10, 2 layers, vocabulary 100.
Model toy() {
  Model m;
  m.name = "toy";
  m.layers = 2;
  m.hidden = 10;
  m.vocabulary = 100;
  m.attention.heads = 4;
  m.attention.kv_heads = 2;
  m.attention.head_dim = 3;
  m.ffn.hidden = 20;
  return m;
}

}  // namespace

TEST_CASE(
    "a dense toy has 2 x (2 x 10 x (4 + 2) x 3 + 3 x 10 x 20) + 1000 head + 1000 embedding = 3920 "
    "parameters") {
  const ParameterCount n = count_parameters(toy());
  CHECK(n.attention_per_layer == 360);
  CHECK(n.dense_ffn_per_layer == 600);
  CHECK(n.dense_layers == 2);
  CHECK(n.moe_layers == 0);
  CHECK(n.total == 3920);
  CHECK(n.active == 2920);  // a row of the embedding is looked up, not multiplied
}

TEST_CASE(
    "tied embeddings are counted once, an ungated FFN has two matrices: 2 x (360 + 400) + 1000 = "
    "2520") {
  Model m = toy();
  m.tied_embeddings = true;
  m.ffn.gated = false;
  const ParameterCount n = count_parameters(m);
  CHECK(n.embedding == 0);
  CHECK(n.total == 2520);
  CHECK(n.active == 2520);
}

TEST_CASE("one dense and one sparse layer of 8 experts, 2 a token, 1 shared") {
  Model m = toy();
  m.ffn = {.kind = FfnKind::moe,
           .experts = 8,
           .experts_per_token = 2,
           .shared_experts = 1,
           .expert_hidden = 5,
           .dense_layers = 1,
           .dense_hidden = 20};
  const ParameterCount n = count_parameters(m);
  CHECK(n.expert == 150);  // 3 x 10 x 5
  CHECK(n.shared_experts_per_layer == 150);
  CHECK(n.router_per_layer == 80);
  CHECK(n.dense_ffn_per_layer == 600);
  CHECK(n.moe_layers == 1);
  CHECK(n.active == 2 * 360 + 600 + (150 + 80) + 2 * 150 + 1000);
  CHECK(n.total == 2 * 360 + 600 + (150 + 80) + 8 * 150 + 1000 + 1000);
}

TEST_CASE("latent attention of DeepSeek-V3 has 187.1 M parameters a layer") {
  // 7168 x 1536 + 1536 x 128 x 192 + 7168 x 576 + 512 x 128 x 256 + 128 x 128 x 7168
  //   = 11.01 + 37.75 + 4.13 + 16.78 + 117.44 M
  CHECK(count_parameters(shipped("deepseek-v3")).attention_per_layer == 187'105'280);
}

TEST_CASE(
    "without compressed queries latent attention projects them directly: 10 x 2 x 5 instead of "
    "both steps") {
  Model m = toy();
  m.attention = {.kind = AttentionKind::mla,
                 .heads = 2,
                 .kv_lora_rank = 4,
                 .qk_nope_dim = 3,
                 .qk_rope_dim = 2,
                 .v_dim = 3,
                 .window = {},
                 .sparse = {}};
  // 100 + 10 x (4 + 2) + 4 x 2 x (3 + 3) + 2 x 3 x 10
  CHECK(count_parameters(m).attention_per_layer == 100 + 60 + 48 + 60);
  CHECK(kv_values_per_token_layer(m.attention) == 6);
}

TEST_CASE("every shipped model adds up to its published totals within 1 %") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  const std::vector<std::string> names = catalog.names(EntryKind::model);
  CHECK(names.size() >= 16);
  for (const std::string& name : names) {
    CAPTURE(name);
    const Model* model = catalog.model(name, diagnostics);
    REQUIRE(model != nullptr);
    for (const Finding& finding : check_model(*model)) FAIL_CHECK(finding.message);
  }
  CHECK(shown(diagnostics).empty());
}

TEST_CASE(
    "the counts of mixtures of experts, in G: total and active, by the formulas of model.hpp") {
  const ParameterCount v3 = count_parameters(shipped("deepseek-v3"));
  CHECK(v3.total / 1e9 == doctest::Approx(671.0).epsilon(1e-4));
  CHECK(v3.active / 1e9 == doctest::Approx(36.62).epsilon(1e-3));
  const ParameterCount qwen = count_parameters(shipped("qwen3-235b-a22b"));
  CHECK(qwen.total / 1e9 == doctest::Approx(235.1).epsilon(1e-3));
  CHECK(qwen.active / 1e9 == doctest::Approx(21.57).epsilon(1e-3));
  const ParameterCount coder = count_parameters(shipped("qwen3-coder-480b-a35b"));
  CHECK(coder.total / 1e9 == doctest::Approx(480.2).epsilon(1e-3));
  CHECK(coder.active / 1e9 == doctest::Approx(34.53).epsilon(1e-3));
  const ParameterCount oss = count_parameters(shipped("gpt-oss-120b"));
  CHECK(oss.total / 1e9 == doctest::Approx(116.8).epsilon(1e-3));
  CHECK(oss.active / 1e9 == doctest::Approx(5.13).epsilon(1e-3));
  // 1.026 T: the published safetensors files hold 1,026,408 M.
  const ParameterCount k2 = count_parameters(shipped("kimi-k2"));
  CHECK(k2.total / 1e9 == doctest::Approx(1026.4).epsilon(1e-4));
  CHECK(k2.active / 1e9 == doctest::Approx(31.69).epsilon(1e-3));
  const ParameterCount mixtral = count_parameters(shipped("mixtral-8x7b"));
  CHECK(mixtral.total / 1e9 == doctest::Approx(46.70).epsilon(1e-3));
  CHECK(mixtral.active / 1e9 == doctest::Approx(12.75).epsilon(1e-3));
}

TEST_CASE("BitNet has 30 x 69.468 M = 2.084 G ternary parameters and a tied embedding of 0.328 G") {
  // a layer: 2 x 2560 x (20 + 5) x 128 + 3 x 2560 x 6912 = 16.384 M + 53.084 M
  const ParameterCount n = count_parameters(shipped("bitnet-b1.58-2b-4t"));
  CHECK(n.attention_per_layer + n.dense_ffn_per_layer == 69'468'160);
  CHECK(n.lm_head == 328'335'360);
  CHECK(n.embedding == 0);
  CHECK(n.total == 2'412'380'160);
}

TEST_CASE("an audit 1.1 % off is an error that shows both numbers; 0.9 % off is not") {
  Model m = toy();  // 3920, 2920 active or 3920 with the embedding
  m.active_parameters = 2920;
  m.parameters = 3885;
  CHECK(check_model(m).empty());
  m.parameters = 3.92e3 / 1.011;
  const std::vector<Finding> findings = check_model(m);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].entry == "toy");
  CHECK(findings[0].error);
  CHECK(findings[0].message ==
        "parameters: the architecture adds up to 3.92e-06 G, the file says 3.88e-06 G (+1.10 %); "
        "at most 1 % apart");
}

TEST_CASE(
    "a published active count may include the input embedding or not; what is near neither is an "
    "error") {
  Model m = toy();
  m.parameters = 3920;
  m.active_parameters = 2920;
  CHECK(check_model(m).empty());
  m.active_parameters = 3920;
  CHECK(check_model(m).empty());
  m.active_parameters = 3400;
  CHECK(check_model(m).size() == 1);
}

}  // namespace tokenyard::catalog
