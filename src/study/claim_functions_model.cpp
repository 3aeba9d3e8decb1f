// What follows from a model's architecture alone.
//
//   weight_read       q (L A + L_dense F + L_moe (D(N) e + shared + router) + head)
//   D(N)              expected distinct experts of N tokens that choose k of E evenly and
//                     independently (perf/experts.hpp)
//   attention_flops   L 4 H d c (GQA), L 2 H (2 r + rope) c (MLA, absorbed), c tokens attended to;
//                     windowed layers at most their window, sparse ones at most their top k and the
//                     indexer's 2 FLOP per value over all c
//   kv_bytes          L 2 K d q, or L (r + rope) q
//
// Worked example, DeepSeek-V3, fp8, one token: 36.6 G of 671 G parameters, 36.6 GB.
//
// The models and formats are those of the catalog; routing that is not even reads fewer experts.
#include <algorithm>

#include "base/as_double.hpp"
#include "base/error.hpp"
#include "perf/experts.hpp"
#include "study/claim_functions.hpp"

namespace tokenyard::study {
namespace {

using catalog::AttentionKind;
using catalog::Model;
using catalog::ParameterCount;
using formula::FormulaError;
using formula::Value;

const Model& model_at(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return model_of(setting, arguments.text(0));
}

ParameterCount count_at(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return catalog::count_parameters(model_at(setting, arguments));
}

double distinct_of(const Model& model, double tokens) {
  return perf::ExpertLoad(model.ffn, scenario::DeploySpec{}).reads(tokens).distinct;
}

struct ModelKey {
  std::string_view name;
  double (*of)(const Model& model);
};

Value model_number(const ClaimSetting& setting, const ClaimArguments& arguments) {
  static const std::vector<ModelKey> kKeys{
      {"layers", [](const Model& m) { return as_double(m.layers); }},
      {"hidden", [](const Model& m) { return as_double(m.hidden); }},
      {"vocabulary", [](const Model& m) { return as_double(m.vocabulary); }},
      {"heads", [](const Model& m) { return as_double(m.attention.heads); }},
      {"kv_heads", [](const Model& m) { return as_double(m.attention.kv_heads); }},
      {"head_dim", [](const Model& m) { return as_double(m.attention.head_dim); }},
      {"kv_lora_rank", [](const Model& m) { return as_double(m.attention.kv_lora_rank); }},
      {"qk_rope_dim", [](const Model& m) { return as_double(m.attention.qk_rope_dim); }},
      {"experts", [](const Model& m) { return as_double(m.ffn.experts); }},
      {"experts_per_token", [](const Model& m) { return as_double(m.ffn.experts_per_token); }},
      {"expert_hidden", [](const Model& m) { return as_double(m.ffn.expert_hidden); }},
      {"ffn_hidden",
       [](const Model& m) {
         return as_double(m.ffn.kind == catalog::FfnKind::dense ? m.ffn.hidden
                                                                : m.ffn.dense_hidden);
       }},
      {"max_context", [](const Model& m) { return as_double(m.max_context); }},
      {"parameters", [](const Model& m) { return m.parameters.value; }},
      {"active_parameters", [](const Model& m) { return m.active_parameters.value; }},
  };
  const Model& model = model_at(setting, arguments);
  std::vector<std::string> names;
  for (const ModelKey& key : kKeys) {
    if (key.name == arguments.text(1)) return {key.of(model), kNone};
    names.emplace_back(key.name);
  }
  throw FormulaError("a model has no number " + quote_word(arguments.text(1)) +
                     suggestion(arguments.text(1), names));
}

Value parameters(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {count_at(setting, arguments).total, kNone};
}
Value active_parameters(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {count_at(setting, arguments).active, kNone};
}
Value lm_head_parameters(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {count_at(setting, arguments).lm_head, kNone};
}
Value embedding_parameters(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {count_at(setting, arguments).embedding, kNone};
}
Value attention_parameters(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {count_at(setting, arguments).attention_per_layer, kNone};
}
Value expert_parameters(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {count_at(setting, arguments).expert, kNone};
}

Value weight_bytes(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {count_at(setting, arguments).total * bytes_of_format(setting, arguments.text(1)), kData};
}

Value weight_read(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const Model& model = model_at(setting, arguments);
  const ParameterCount count = catalog::count_parameters(model);
  const double read = count.attention_per_layer * as_double(model.layers) +
                      count.dense_ffn_per_layer * as_double(count.dense_layers) +
                      (distinct_of(model, arguments.positive(2)) * count.expert +
                       count.shared_experts_per_layer + count.router_per_layer) *
                          as_double(count.moe_layers) +
                      count.lm_head;
  return {read * bytes_of_format(setting, arguments.text(1)), kData};
}

Value kv_bytes(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const Model& model = model_at(setting, arguments);
  return {catalog::kv_values_per_token_layer(model.attention) * as_double(model.layers) *
              bytes_of_format(setting, arguments.text(1)),
          kData};
}

Value linear_flops(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {2.0 * count_at(setting, arguments).active, kFlop};
}

// Of one pair of a decoded token and one that it attends to, in one layer.
double flops_per_pair(const catalog::Attention& a) {
  if (a.kind == AttentionKind::gqa) return 4.0 * as_double(a.heads) * as_double(a.head_dim);
  return 2.0 * as_double(a.heads) * as_double(2 * a.kv_lora_rank + a.qk_rope_dim);
}

Value attention_flops(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const Model& model = model_at(setting, arguments);
  const catalog::Attention& a = model.attention;
  const double context = arguments.positive(1);
  const double windowed = a.window ? as_double(a.window->layers) : 0.0;
  double full = context;
  double indexer = 0.0;
  if (a.sparse) {
    full = std::min(context, as_double(a.sparse->top_k));
    indexer = 2.0 * as_double(a.sparse->index_heads * a.sparse->index_dim) * context;
  }
  const double in_window = a.window ? std::min(context, as_double(a.window->tokens)) : 0.0;
  const double layers = as_double(model.layers);
  return {
      flops_per_pair(a) * ((layers - windowed) * full + windowed * in_window) + layers * indexer,
      kFlop};
}

Value attention_intensity(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const catalog::Attention& a = model_at(setting, arguments).attention;
  const double bytes =
      catalog::kv_values_per_token_layer(a) * bytes_of_format(setting, arguments.text(1));
  return {flops_per_pair(a) / bytes, kFlop / kData};
}

Value distinct_experts(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const Model& model = model_at(setting, arguments);
  if (model.ffn.experts == 0) throw FormulaError("model '" + model.name + "' has no experts");
  return {distinct_of(model, arguments.positive(1)), kNone};
}

}  // namespace

const std::vector<ClaimFunction>& model_functions() {
  constexpr ClaimParameter kModel{"model", true};
  constexpr ClaimParameter kFormat{"format", true};
  static const std::vector<ClaimFunction> kFunctions{
      {"model", {{"name", true}, {"key", true}}, model_number},
      {"parameters", {kModel}, parameters},
      {"active_parameters", {kModel}, active_parameters},
      {"lm_head_parameters", {kModel}, lm_head_parameters},
      {"embedding_parameters", {kModel}, embedding_parameters},
      {"attention_parameters", {kModel}, attention_parameters},
      {"expert_parameters", {kModel}, expert_parameters},
      {"weight_bytes", {kModel, kFormat}, weight_bytes},
      {"weight_read", {kModel, kFormat, {"tokens"}}, weight_read},
      {"kv_bytes", {kModel, kFormat}, kv_bytes},
      {"linear_flops", {kModel}, linear_flops},
      {"attention_flops", {kModel, {"context"}}, attention_flops},
      {"attention_intensity", {kModel, kFormat}, attention_intensity},
      {"distinct_experts", {kModel, {"tokens"}}, distinct_experts},
  };
  return kFunctions;
}

}  // namespace tokenyard::study
