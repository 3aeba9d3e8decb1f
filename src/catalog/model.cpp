#include "catalog/model.hpp"

#include <initializer_list>

#include "catalog/entry.hpp"

namespace tokenyard::catalog {
namespace {

using input::Fields;

using Keys = std::initializer_list<std::string_view>;

// Keys that come with a kind: the needed ones must be there, those of the other kind must not.
// Silent when `kind` itself could not be read: one mistake, one message.
void check_keys_of_kind(Fields& f, std::string_view kind, Keys needed, Keys foreign) {
  const input::Node* written = f.node().find("kind");
  if (written == nullptr || written->scalar != kind) return;
  for (const std::string_view key : needed) {
    if (!f.has(key))
      f.problem(key, "kind " + std::string(kind) + " needs the key '" + std::string(key) + "'");
  }
  for (const std::string_view key : foreign) {
    if (f.has(key)) f.problem(key, "has no meaning with kind " + std::string(kind));
  }
}

double count(std::int64_t n) {
  return static_cast<double>(n);
}

double attention_parameters(const Model& m) {
  const Attention& a = m.attention;
  const double h = count(m.hidden);
  const double heads = count(a.heads);
  if (a.kind == AttentionKind::gqa) return 2.0 * h * count((a.heads + a.kv_heads) * a.head_dim);
  const double r = count(a.kv_lora_rank);
  const double rope = count(a.qk_rope_dim);
  const double nope = count(a.qk_nope_dim);
  const double v = count(a.v_dim);
  const double qr = count(a.q_lora_rank);
  const double query_heads = heads * (nope + rope);
  const double query = a.q_lora_rank > 0 ? h * qr + qr * query_heads : h * query_heads;
  return query + h * (r + rope) + r * heads * (nope + v) + heads * v * h;
}

}  // namespace

ParameterCount count_parameters(const Model& m) {
  const double h = count(m.hidden);
  const double matrices = m.ffn.gated ? 3.0 : 2.0;
  const bool moe = m.ffn.kind == FfnKind::moe;
  ParameterCount n;
  n.dense_layers = moe ? m.ffn.dense_layers : m.layers;
  n.moe_layers = m.layers - n.dense_layers;
  n.attention_per_layer = attention_parameters(m);
  if (n.dense_layers > 0)
    n.dense_ffn_per_layer = matrices * h * count(moe ? m.ffn.dense_hidden : m.ffn.hidden);
  if (moe) {
    n.expert = matrices * h * count(m.ffn.expert_hidden);
    n.shared_experts_per_layer = count(m.ffn.shared_experts) * n.expert;
    n.router_per_layer = count(m.ffn.experts) * h;
  }
  n.lm_head = count(m.vocabulary) * h;
  n.embedding = m.tied_embeddings ? 0.0 : n.lm_head;
  const double always =
      count(m.layers) * n.attention_per_layer + count(n.dense_layers) * n.dense_ffn_per_layer +
      count(n.moe_layers) * (n.shared_experts_per_layer + n.router_per_layer) + n.lm_head;
  n.total = always + count(n.moe_layers) * count(m.ffn.experts) * n.expert + n.embedding;
  n.active = always + count(n.moe_layers) * count(m.ffn.experts_per_token) * n.expert;
  return n;
}

double kv_values_per_token_layer(const Attention& a) {
  if (a.kind == AttentionKind::mla) return count(a.kv_lora_rank + a.qk_rope_dim);
  return 2.0 * count(a.kv_heads * a.head_dim);
}

void describe(Fields& f, WindowSpec& x) {
  f.required("tokens", x.tokens, "how far back a windowed layer looks").at_least(1);
  f.required("layers", x.layers, "how many layers are windowed").at_least(1);
}

void describe(Fields& f, SparseSpec& x) {
  f.required("top_k", x.top_k, "tokens that each token attends to").at_least(1);
  f.required("index_heads", x.index_heads, "heads of the indexer").at_least(1);
  f.required("index_dim", x.index_dim, "size of its keys, one per token and layer").at_least(1);
  f.optional("index_bits", x.index_bits, "per value of those keys").more_than(0.0);
}

void describe(Fields& f, Attention& x) {
  f.required("kind", x.kind, "gqa (MHA and MQA included) or mla");
  f.required("heads", x.heads, "query heads").at_least(1);
  f.optional("kv_heads", x.kv_heads,
             "gqa: key and value heads; as many as heads for MHA, 1 for MQA")
      .at_least(1);
  f.optional("head_dim", x.head_dim, "gqa: size of one head").at_least(1);
  f.optional("kv_lora_rank", x.kv_lora_rank, "mla: size of the latent that is cached").at_least(1);
  f.optional("q_lora_rank", x.q_lora_rank, "mla: size of the query's latent; 0: none").at_least(0);
  f.optional("qk_nope_dim", x.qk_nope_dim, "mla: part of a head without position").at_least(1);
  f.optional("qk_rope_dim", x.qk_rope_dim, "mla: part of a head with position, shared by all heads")
      .at_least(1);
  f.optional("v_dim", x.v_dim, "mla: size of one value head").at_least(1);
  f.optional("window", x.window, "some layers see the last tokens only");
  f.optional("sparse", x.sparse, "tokens attend to those only that an indexer chooses");
  if (!f.is_reading()) return;
  if (x.window && x.sparse) f.problem("sparse", "has no place beside a window");
  check_keys_of_kind(f, "gqa", {"kv_heads", "head_dim"},
                     {"kv_lora_rank", "q_lora_rank", "qk_nope_dim", "qk_rope_dim", "v_dim"});
  check_keys_of_kind(f, "mla", {"kv_lora_rank", "qk_nope_dim", "qk_rope_dim", "v_dim"},
                     {"kv_heads", "head_dim"});
  if (x.kv_heads > 0 && x.heads > 0 && x.heads % x.kv_heads != 0) {
    f.problem("kv_heads", std::to_string(x.heads) + " heads cannot share " +
                              std::to_string(x.kv_heads) +
                              " KV heads evenly; heads must be a multiple of kv_heads");
  }
}

void describe(Fields& f, Ffn& x) {
  f.required("kind", x.kind, "dense or moe");
  f.optional("gated", x.gated, "three matrices (SwiGLU) instead of two");
  f.optional("hidden", x.hidden, "dense: inner size").at_least(1);
  f.optional("experts", x.experts, "moe: routed experts of a layer").at_least(1);
  f.optional("experts_per_token", x.experts_per_token, "moe: routed experts that one token visits")
      .at_least(1);
  f.optional("shared_experts", x.shared_experts, "moe: experts that every token visits")
      .at_least(0);
  f.optional("expert_hidden", x.expert_hidden, "moe: inner size of one expert").at_least(1);
  f.optional("dense_layers", x.dense_layers, "moe: layers that are dense all the same").at_least(0);
  f.optional("dense_hidden", x.dense_hidden, "moe: inner size of those").at_least(1);
  if (!f.is_reading()) return;
  check_keys_of_kind(f, "dense", {"hidden"},
                     {"experts", "experts_per_token", "shared_experts", "expert_hidden",
                      "dense_layers", "dense_hidden"});
  check_keys_of_kind(f, "moe", {"experts", "experts_per_token", "expert_hidden"}, {"hidden"});
  if (x.experts > 0 && x.experts_per_token > x.experts) {
    f.problem("experts_per_token", "a token cannot visit " + std::to_string(x.experts_per_token) +
                                       " of " + std::to_string(x.experts) + " experts");
  }
  if ((x.dense_layers > 0) != (x.dense_hidden > 0)) {
    f.problem("dense_hidden", "'dense_layers' and 'dense_hidden' belong together");
  }
}

void describe(Fields& f, Model& x) {
  describe_head(f, x.name, x.source, x.confidence, x.description);
  f.required("layers", x.layers, "transformer layers").at_least(1);
  f.required("hidden", x.hidden, "size of the residual stream").at_least(1);
  f.required("vocabulary", x.vocabulary, "tokens").at_least(1);
  f.required("attention", x.attention, "of every layer");
  f.required("ffn", x.ffn, "of every layer");
  f.required("parameters", x.parameters, "published total; the architecture must add up to it")
      .more_than(0.0);
  f.required("active_parameters", x.active_parameters, "published, multiplied for one token")
      .more_than(0.0);
  f.required("max_context", x.max_context, "tokens").at_least(1);
  f.optional("tied_embeddings", x.tied_embeddings, "the LM head is the input embedding");
  if (!f.is_reading()) return;
  if (x.parameters.value > 0.0 && x.active_parameters.value > x.parameters.value) {
    f.problem("active_parameters", "are more than all parameters");
  }
  if (x.layers > 0 && x.attention.window && x.attention.window->layers > x.layers) {
    f.problem("attention", std::to_string(x.attention.window->layers) +
                               " windowed layers in a model of " + std::to_string(x.layers));
  }
  if (x.layers > 0 && x.ffn.dense_layers > x.layers) {
    f.problem("ffn", std::to_string(x.ffn.dense_layers) + " dense layers in a model of " +
                         std::to_string(x.layers));
  }
}

}  // namespace tokenyard::catalog
