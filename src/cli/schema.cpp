#include "catalog/catalog.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "scenario/scenario_file.hpp"
#include "study/published_conditions.hpp"

namespace tokenyard::cli {
namespace {

struct Kind {
  const char* name;
  std::string (*schema)();
};

constexpr Kind kKinds[] = {
    {"scenario", [] { return input::schema_of<scenario::ScenarioFile>(); }},
    {"workload", [] { return input::schema_of<workload::WorkloadSpec>(); }},
    {"device", [] { return input::schema_of<catalog::Device>(); }},
    {"node", [] { return input::schema_of<catalog::NodeSpec>(); }},
    {"fabric", [] { return input::schema_of<catalog::FabricSpec>(); }},
    {"site", [] { return input::schema_of<catalog::Site>(); }},
    {"model", [] { return input::schema_of<catalog::Model>(); }},
    {"calibration", [] { return input::schema_of<catalog::Calibration>(); }},
    {"formats", [] { return input::schema_of<catalog::FormatTable>(); }},
    {"published-conditions", [] { return input::schema_of<study::PublishedConditions>(); }},
};

bool has_overlays(const std::string& kind) {
  return kind == "device" || kind == "node" || kind == "fabric" || kind == "site" ||
         kind == "model";
}

// An entry of the catalog, or another entry with changes.
std::string or_overlay(const std::string& schema) {
  return R"({"anyOf":[)" + schema +
         R"(,{"type":"object","properties":{"name":{"type":"string"},"overlay_of":{"title":)"
         R"("the entry that this one changes","type":"string"},"source":{"type":"string"},)"
         R"("confidence":{"type":"string"},"description":{"type":"string"},"changes":{"title":)"
         R"("paths and the values that stand there instead","type":"object"}},"required":)"
         R"(["name","overlay_of","source","confidence","changes"],"additionalProperties":false}]})";
}

int run(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  const std::string wanted = arguments.operands().empty() ? "" : arguments.operands().front();
  for (const Kind& kind : kKinds) {
    if (wanted != kind.name) continue;
    std::string schema = kind.schema();
    // A scenario's `sweep` is taken out before the rest is read, so the reader has no field for it.
    if (wanted == "scenario") {
      const std::string properties = R"("properties":{)";
      schema.insert(
          schema.find(properties) + properties.size(),
          R"("sweep":{"type":"object","title":"variants: every combination of these lists of values"},)");
      schema.insert(1, R"("anyOf":[{"required":["workload","fleet"]},{"required":["expect"]}],)");
    }
    if (has_overlays(wanted)) schema = or_overlay(schema);
    schema.insert(1, R"("$schema":"https://json-schema.org/draft/2020-12/schema",)");
    print(schema + '\n');
    return kDone;
  }
  throw InputError("schema: '" + wanted + "' is no kind of file" + suggestion(wanted, names));
}

}  // namespace

Command schema_command() {
  return {"schema", "KIND", "prints the JSON Schema of a kind of file, for editors", {}, run};
}

}  // namespace tokenyard::cli
