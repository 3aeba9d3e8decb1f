#pragma once
// A language model's architecture, one file each in workloads/models/, and its exact parameter
// counts.
//
// Formulas (attention per layer; h hidden, H heads, K KV heads, d head size):
//   GQA, MHA, MQA  2 h H d + 2 h K d
//   MLA            h qr + qr H (nope + rope) + h (r + rope) + r H (nope + v) + H v h
//                  (without q_lora: h H (nope + rope) for the first two terms)
//   FFN            3 h f gated, 2 h f ungated; router E h
// Norm weights and biases are left out (below 0.01 % of any model here).
#include <optional>
#include <string>
#include <vector>

#include "catalog/device.hpp"

namespace tokenyard::catalog {

enum class AttentionKind { gqa, mla };
constexpr auto enum_names(AttentionKind) {
  return std::array<std::string_view, 2>{"gqa", "mla"};
}

// Some layers attend to the last `tokens` tokens only.
struct WindowSpec {
  std::int64_t tokens = 0;
  std::int64_t layers = 0;  // how many of the model's layers
};

// Every token attends to the `top_k` tokens that a light indexer chooses; the indexer looks at all
// of them, at `index_bits` per value.
struct SparseSpec {
  std::int64_t top_k = 0;
  std::int64_t index_heads = 0;
  std::int64_t index_dim = 0;
  double index_bits = 8.0;
};

struct Attention {
  AttentionKind kind = AttentionKind::gqa;
  std::int64_t heads = 0;
  // gqa; MHA has kv_heads = heads, MQA has 1
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  // mla
  std::int64_t kv_lora_rank = 0;
  std::int64_t q_lora_rank = 0;  // 0: queries are not compressed
  std::int64_t qk_nope_dim = 0;
  std::int64_t qk_rope_dim = 0;
  std::int64_t v_dim = 0;
  std::optional<WindowSpec> window;
  std::optional<SparseSpec> sparse;  // of all layers; not together with a window
};

enum class FfnKind { dense, moe };
constexpr auto enum_names(FfnKind) {
  return std::array<std::string_view, 2>{"dense", "moe"};
}

struct Ffn {
  FfnKind kind = FfnKind::dense;
  bool gated = true;
  std::int64_t hidden = 0;  // dense
  // moe
  std::int64_t experts = 0;
  std::int64_t experts_per_token = 0;
  std::int64_t shared_experts = 0;
  std::int64_t expert_hidden = 0;
  std::int64_t dense_layers = 0;  // how many layers are dense all the same
  std::int64_t dense_hidden = 0;
};

struct Model {
  std::string name;
  std::string description;
  std::string source;
  input::Confidence confidence = input::Confidence::vendor;
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  std::int64_t vocabulary = 0;
  Attention attention;
  Ffn ffn;
  Sourced<double> parameters;         // published total
  Sourced<double> active_parameters;  // published, per token
  std::int64_t max_context = 0;
  bool tied_embeddings = false;
};

// Exact counts from the architecture, in parameters.
struct ParameterCount {
  double attention_per_layer = 0;
  double dense_ffn_per_layer = 0;  // of a dense layer (0 when there is none)
  double expert = 0;               // one routed expert
  double shared_experts_per_layer = 0;
  double router_per_layer = 0;
  double lm_head = 0;    // vocabulary * hidden, read by every step that samples
  double embedding = 0;  // 0 when tied to the LM head
  std::int64_t dense_layers = 0;
  std::int64_t moe_layers = 0;
  double total = 0;
  double active = 0;  // multiplied for one token: attention, its experts, shared, router, LM head
};
ParameterCount count_parameters(const Model& model);

// Values stored per token and layer by the KV cache: 2 K d, or r + rope with MLA.
double kv_values_per_token_layer(const Attention& attention);

void describe(input::Fields& f, WindowSpec& x);
void describe(input::Fields& f, SparseSpec& x);
void describe(input::Fields& f, Attention& x);
void describe(input::Fields& f, Ffn& x);
void describe(input::Fields& f, Model& x);

}  // namespace tokenyard::catalog
