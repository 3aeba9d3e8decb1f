#include "perf/tiles.hpp"

#include <cmath>

#include "base/as_double.hpp"

namespace tokenyard::perf {
namespace {

// A group of products: sizes of its weight matrices, as they are and as the array sees them.
class Group {
 public:
  explicit Group(double tile) : tile_(tile) {}
  void add(double rows, double columns) {
    true_ += rows * columns;
    rounded_ += std::ceil(rows / tile_) * std::ceil(columns / tile_) * tile_ * tile_;
  }
  [[nodiscard]] double factor() const { return true_ > 0.0 ? rounded_ / true_ : 1.0; }

 private:
  double tile_;
  double true_ = 0.0;
  double rounded_ = 0.0;
};

void add_attention(Group& group, const catalog::Model& model, double tensor) {
  const catalog::Attention& a = model.attention;
  const double hidden = as_double(model.hidden);
  const double heads = as_double(a.heads) / tensor;
  if (a.kind == catalog::AttentionKind::gqa) {
    const double kv_heads = as_double(a.kv_heads) / tensor;
    group.add(hidden, heads * as_double(a.head_dim));
    group.add(hidden, kv_heads * as_double(a.head_dim));
    group.add(hidden, kv_heads * as_double(a.head_dim));
    group.add(heads * as_double(a.head_dim), hidden);
    return;
  }
  const double queries = heads * as_double(a.qk_nope_dim + a.qk_rope_dim);
  if (a.q_lora_rank > 0) {
    group.add(hidden, as_double(a.q_lora_rank));
    group.add(as_double(a.q_lora_rank), queries);
  } else {
    group.add(hidden, queries);
  }
  group.add(hidden, as_double(a.kv_lora_rank + a.qk_rope_dim));
  group.add(as_double(a.kv_lora_rank), heads * as_double(a.qk_nope_dim + a.v_dim));
  group.add(heads * as_double(a.v_dim), hidden);
}

void add_ffn(Group& group, const catalog::Model& model, double width) {
  const double hidden = as_double(model.hidden);
  group.add(hidden, width);
  if (model.ffn.gated) group.add(hidden, width);
  group.add(width, hidden);
}

}  // namespace

TileFactors tile_factors(const scenario::DeploymentPlan& d, std::int64_t tile) {
  if (tile <= 0) return {};
  const catalog::Model& model = d.model;
  const catalog::Ffn& ffn = model.ffn;
  const bool moe = ffn.kind == catalog::FfnKind::moe;
  const double tensor = as_double(d.spec.tensor_parallel);
  const double devices_per_expert =
      tensor * as_double(d.attention_data_parallel) / as_double(d.spec.expert_parallel);
  Group attention(as_double(tile));
  add_attention(attention, model, tensor);
  if (moe) attention.add(as_double(model.hidden), as_double(ffn.experts));
  Group dense(as_double(tile));
  add_ffn(dense, model, as_double(moe ? ffn.dense_hidden : ffn.hidden) / tensor);
  Group shared(as_double(tile));
  add_ffn(shared, model, as_double(ffn.shared_experts * ffn.expert_hidden) / tensor);
  Group expert(as_double(tile));
  add_ffn(expert, model, as_double(ffn.expert_hidden) / devices_per_expert);
  Group head(as_double(tile));
  head.add(as_double(model.hidden), as_double(model.vocabulary) / tensor);
  return {attention.factor(), dense.factor(), shared.factor(), expert.factor(), head.factor()};
}

}  // namespace tokenyard::perf
