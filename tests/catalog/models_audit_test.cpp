// Every shipped model against numbers worked out by hand from its publisher's config.json: what a
// token takes in the KV cache.  (That parameter counts add up is in model_test.cpp.)
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>

#include "catalog/catalog.hpp"
#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

struct KvOfModel {
  std::string_view model;
  double bytes_per_token;            // in bf16, without an indexer's keys
  double index_bytes_per_token = 0;  // keys of a sparse attention's indexer
};

// Grouped queries: layers x 2 (key, value) x KV heads x head size x 2 B.
// Latent attention: layers x (latent + rotary key) x 2 B.
// Windows do not change what a token takes while it is inside.
constexpr KvOfModel kKvOfModels[] = {
    {"bitnet-b1.58-2b-4t", 76'800},      // 30 x 2 x 5 x 128 x 2
    {"deepseek-r1", 70'272},             // 61 x (512 + 64) x 2
    {"deepseek-v3", 70'272},             // 61 x (512 + 64) x 2
    {"deepseek-v3.2", 70'272, 7'808},    // as V3; 61 x 128 x 1 B of fp8 index keys
    {"exaone-3.5-32b", 262'144},         // 64 x 2 x 8 x 128 x 2
    {"gpt-oss-120b", 73'728},            // 36 x 2 x 8 x 64 x 2
    {"gpt-oss-20b", 49'152},             // 24 x 2 x 8 x 64 x 2
    {"kimi-k2", 70'272},                 // 61 x (512 + 64) x 2
    {"llama-2-13b", 819'200},            // 40 x 2 x 40 x 128 x 2
    {"llama-2-70b", 327'680},            // 80 x 2 x 8 x 128 x 2
    {"llama-2-7b", 524'288},             // 32 x 2 x 32 x 128 x 2
    {"llama-3.1-405b", 516'096},         // 126 x 2 x 8 x 128 x 2
    {"llama-3.1-70b", 327'680},          // 80 x 2 x 8 x 128 x 2
    {"llama-3.1-8b", 131'072},           // 32 x 2 x 8 x 128 x 2
    {"llama-3.2-1b", 32'768},            // 16 x 2 x 8 x 64 x 2
    {"llama-3.2-3b", 114'688},           // 28 x 2 x 8 x 128 x 2
    {"mistral-7b", 131'072},             // 32 x 2 x 8 x 128 x 2
    {"mixtral-8x7b", 131'072},           // 32 x 2 x 8 x 128 x 2
    {"qwen2.5-14b", 196'608},            // 48 x 2 x 8 x 128 x 2
    {"qwen2.5-32b", 262'144},            // 64 x 2 x 8 x 128 x 2
    {"qwen2.5-72b", 327'680},            // 80 x 2 x 8 x 128 x 2
    {"qwen3-235b-a22b", 192'512},        // 94 x 2 x 4 x 128 x 2
    {"qwen3-32b", 262'144},              // 64 x 2 x 8 x 128 x 2
    {"qwen3-coder-480b-a35b", 253'952},  // 62 x 2 x 8 x 128 x 2
};

double index_bytes_per_token(const Model& model) {
  if (!model.attention.sparse) return 0.0;
  const SparseSpec& sparse = *model.attention.sparse;
  return static_cast<double>(model.layers * sparse.index_dim) * sparse.index_bits / 8.0;
}

}  // namespace

TEST_CASE(
    "a token of every shipped model takes the bytes of KV cache that a pencil finds, in bf16") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  const NumberFormat* bf16 = catalog.format("bf16", diagnostics);
  REQUIRE(bf16 != nullptr);
  for (const std::string& name : catalog.names(EntryKind::model)) {
    CAPTURE(name);
    const auto row = std::find_if(std::begin(kKvOfModels), std::end(kKvOfModels),
                                  [&](const KvOfModel& known) { return known.model == name; });
    if (row == std::end(kKvOfModels)) {
      FAIL_CHECK("work out this model's KV cache by hand and add a row to kKvOfModels");
      continue;
    }
    const Model* model = catalog.model(name, diagnostics);
    REQUIRE(model != nullptr);
    CHECK(kv_values_per_token_layer(model->attention) * static_cast<double>(model->layers) *
              bf16->bytes() ==
          row->bytes_per_token);
    CHECK(index_bytes_per_token(*model) == row->index_bytes_per_token);
  }
  CHECK(shown(diagnostics).empty());
}

TEST_CASE("no row of the audit stands for a model that is not shipped") {
  const Catalog catalog(find_catalog_root(""));
  for (const KvOfModel& row : kKvOfModels) {
    CAPTURE(row.model);
    CHECK(catalog.exists(EntryKind::model, std::string(row.model)));
  }
}

TEST_CASE("sparse attention of DeepSeek-V3.2 picks 2,048 tokens with 64 heads of fp8 keys") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  const Model* model = catalog.model("deepseek-v3.2", diagnostics);
  REQUIRE(model != nullptr);
  REQUIRE(model->attention.sparse);
  CHECK(model->attention.sparse->top_k == 2048);
  CHECK(model->attention.sparse->index_heads == 64);
  CHECK(model->attention.sparse->index_dim == 128);
  CHECK(model->attention.sparse->index_bits == 8.0);
}

}  // namespace tokenyard::catalog
