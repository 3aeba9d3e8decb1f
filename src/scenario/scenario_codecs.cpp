#include "scenario/scenario_file.hpp"

namespace tokenyard::input {

namespace {

template <class T>
bool read_optional_number(ReadContext& context, const Node& node, std::string_view word,
                          std::optional<T>& out) {
  if (node.kind == Node::Kind::scalar && node.scalar == word) {
    out.reset();
    return true;
  }
  T number{};
  if (!Codec<T>::read(context, node, number)) return false;
  out = number;
  return true;
}

template <class T>
void write_optional_number(JsonWriter& json, std::string_view word, const std::optional<T>& value) {
  if (value) {
    json.value(*value);
  } else {
    json.value(word);
  }
}

std::string word_or(std::string_view word, const std::string& schema) {
  return R"({"anyOf":[{"const":)" + json_quote(word) + "}," + schema + "]}";
}

}  // namespace

bool Codec<scenario::AutoCount>::read(ReadContext& context, const Node& node,
                                      scenario::AutoCount& out) {
  if (!read_optional_number(context, node, "auto", out.count)) return false;
  if (out.count && *out.count < 1) {
    fields_detail::report(context, node,
                          "'" + node.scalar + "' is out of range; expected 'auto' or at least 1");
    return false;
  }
  return true;
}
void Codec<scenario::AutoCount>::write(JsonWriter& json, const scenario::AutoCount& value) {
  write_optional_number(json, "auto", value.count);
}
std::string Codec<scenario::AutoCount>::schema() {
  return word_or("auto", Codec<std::int64_t>::schema());
}

bool Codec<scenario::KvCapacity>::read(ReadContext& context, const Node& node,
                                       scenario::KvCapacity& out) {
  out.unlimited = node.kind == Node::Kind::scalar && node.scalar == "unlimited";
  if (out.unlimited) {
    out.tokens.reset();
    return true;
  }
  if (!read_optional_number(context, node, "auto", out.tokens)) return false;
  if (!out.tokens || (*out.tokens >= 1 && *out.tokens <= scenario::kUnlimitedKvTokens)) return true;
  fields_detail::report(context, node,
                        "'" + node.scalar +
                            "' is out of range; expected 'auto', 'unlimited' or 1 to " +
                            std::to_string(scenario::kUnlimitedKvTokens) + " tokens");
  return false;
}
void Codec<scenario::KvCapacity>::write(JsonWriter& json, const scenario::KvCapacity& value) {
  write_optional_number(json, value.unlimited ? "unlimited" : "auto", value.tokens);
}
std::string Codec<scenario::KvCapacity>::schema() {
  return R"({"anyOf":[{"enum":["auto","unlimited"]},)" + Codec<std::int64_t>::schema() + "]}";
}

bool Codec<scenario::KvTierSpec>::read(ReadContext& context, const Node& node,
                                       scenario::KvTierSpec& out) {
  out = {};
  const std::size_t before = context.diagnostics->list().size();
  if (node.kind == Node::Kind::map) {
    Fields fields = Fields::reading(context, node);
    describe(fields, out);
    fields.finish();
  } else if (Codec<scenario::KvTierKind>::read(context, node, out.tier) &&
             out.tier == scenario::KvTierKind::remote) {
    fields_detail::report(context, node,
                          "'remote' needs a capacity, as in {tier: remote, capacity: 100 TB}");
  }
  return context.diagnostics->list().size() == before;
}
void Codec<scenario::KvTierSpec>::write(JsonWriter& json, const scenario::KvTierSpec& value) {
  json.begin_object().key("tier").value(name_of(value.tier));
  json.key("capacity");
  Codec<std::optional<Bytes>>::write(json, value.capacity);
  json.key("bandwidth");
  Codec<std::optional<BytesPerSecond>>::write(json, value.bandwidth);
  json.key("energy");
  Codec<std::optional<JoulesPerByte>>::write(json, value.energy);
  json.end_object();
}
std::string Codec<scenario::KvTierSpec>::schema() {
  std::vector<std::string> properties;
  std::vector<std::string> required;
  Fields fields = Fields::describing(properties, required);
  scenario::KvTierSpec spec;
  describe(fields, spec);
  fields.finish();
  return R"({"anyOf":[)" + Codec<scenario::KvTierKind>::schema() + "," +
         object_schema(properties, required) + "]}";
}

bool Codec<scenario::EngineChoice>::read(ReadContext& context, const Node& node,
                                         scenario::EngineChoice& out) {
  out = {};
  if (node.kind != Node::Kind::map) {
    std::string name;
    if (!fields_detail::read_text(context, node, name)) return false;
    out.prefill = out.decode = name;
    return true;
  }
  const std::size_t before = context.diagnostics->list().size();
  Fields fields = Fields::reading(context, node);
  describe(fields, out);
  fields.finish();
  return context.diagnostics->list().size() == before;
}
void Codec<scenario::EngineChoice>::write(JsonWriter& json, const scenario::EngineChoice& value) {
  json.begin_object().key("prefill");
  Codec<std::optional<std::string>>::write(json, value.prefill);
  json.key("decode");
  Codec<std::optional<std::string>>::write(json, value.decode);
  json.key("steps").value(name_of(value.steps));
  json.key("prefill_kv_share");
  Codec<std::optional<double>>::write(json, value.prefill_kv_share);
  json.end_object();
}
std::string Codec<scenario::EngineChoice>::schema() {
  std::vector<std::string> properties;
  std::vector<std::string> required;
  Fields fields = Fields::describing(properties, required);
  scenario::EngineChoice choice;
  describe(fields, choice);
  fields.finish();
  return R"({"anyOf":[{"type":["string","null"]},)" + object_schema(properties, required) + "]}";
}

bool Codec<scenario::Utilization>::read(ReadContext& context, const Node& node,
                                        scenario::Utilization& out) {
  if (!read_optional_number(context, node, "from-simulation", out.share)) return false;
  if (out.share && !(*out.share > 0.0 && *out.share <= 1.0)) {
    fields_detail::report(
        context, node,
        "'" + node.scalar + "' is out of range; expected 'from-simulation' or a share up to 100 %");
    return false;
  }
  return true;
}
void Codec<scenario::Utilization>::write(JsonWriter& json, const scenario::Utilization& value) {
  write_optional_number(json, "from-simulation", value.share);
}
std::string Codec<scenario::Utilization>::schema() {
  return word_or("from-simulation", Codec<double>::schema());
}

bool Codec<scenario::WorkloadRef>::read(ReadContext& context, const Node& node,
                                        scenario::WorkloadRef& out) {
  out.where = node.place;
  if (node.kind == Node::Kind::scalar) {
    out.file = node.scalar;
    return true;
  }
  if (!fields_detail::expect(context, node, Node::Kind::map,
                             "a workload or the path of a workload file")) {
    return false;
  }
  return Codec<workload::WorkloadSpec>::read(context, node, out.spec);
}
// The workload's content decides the result, not the path it was read from.
void Codec<scenario::WorkloadRef>::write(JsonWriter& json, const scenario::WorkloadRef& value) {
  Codec<workload::WorkloadSpec>::write(json, value.spec);
}
std::string Codec<scenario::WorkloadRef>::schema() {
  return R"({"anyOf":[{"type":"string"},)" + Codec<workload::WorkloadSpec>::schema() + "]}";
}

bool Codec<scenario::DeployList>::read(ReadContext& context, const Node& node,
                                       scenario::DeployList& out) {
  out = {};
  if (node.kind == Node::Kind::map) {
    out.paths.push_back(node.path);
    return Codec<scenario::DeploySpec>::read(context, node, out.list.emplace_back());
  }
  if (!fields_detail::expect(context, node, Node::Kind::sequence, "a deployment or a list of them"))
    return false;
  bool ok = true;
  for (const Node& item : node.items) {
    out.paths.push_back(item.path);
    ok = Codec<scenario::DeploySpec>::read(context, item, out.list.emplace_back()) && ok;
  }
  if (node.items.empty())
    fields_detail::report(context, node, "the list is empty; expected at least one deployment");
  return ok && !node.items.empty();
}
void Codec<scenario::DeployList>::write(JsonWriter& json, const scenario::DeployList& value) {
  Codec<std::vector<scenario::DeploySpec>>::write(json, value.list);
}
std::string Codec<scenario::DeployList>::schema() {
  const std::string one = Codec<scenario::DeploySpec>::schema();
  return R"({"anyOf":[)" + one + R"(,{"type":"array","minItems":1,"items":)" + one + "}]}";
}

}  // namespace tokenyard::input
