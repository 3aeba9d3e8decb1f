#include <doctest/doctest.h>

#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

const std::string kToyModel =
    "name: toy\n"
    "source: pencil\n"
    "confidence: assumed\n"
    "layers: 2\n"
    "hidden: 10\n"
    "vocabulary: 100\n"
    "attention: {kind: gqa, heads: 4, kv_heads: 2, head_dim: 3}\n"
    "ffn: {kind: dense, hidden: 20}\n"
    "parameters: 3920\n"
    "active_parameters: 2920\n"
    "max_context: 1000\n";

const std::string kToyNode =
    "name: box\n"
    "source: pencil\n"
    "confidence: assumed\n"
    "devices: [{device: toy, count: 8}]\n"
    "topology: ring\n"
    "link: wire\n"
    "host: {cpu: any, dram: {capacity: 1 TB, bandwidth: 100 GB/s}, power_idle: 100 W, power_max: "
    "200 W}\n"
    "price: 9 kUSD\n";

const std::string kToyFabric =
    "name: net\n"
    "source: pencil\n"
    "confidence: assumed\n"
    "kind: custom\n"
    "switch: {ports: 8, bandwidth: 50 GB/s, latency: 1 us, power: 100 W}\n"
    "vertices: [left, right]\n"
    "edges: [{from: left, to: right}, {from: 'node[0]', to: left}]\n";

const std::string kToySite =
    "name: hall\n"
    "source: pencil\n"
    "confidence: assumed\n"
    "electricity: 0.1 USD/kWh\n"
    "pue: 1.2\n"
    "carbon_intensity: 0.4 kg/kWh\n"
    "facility: {colo_per_kw_month: 100 USD/kW/month}\n"
    "rack: {power_limit: 40 kW, price: 5 kUSD}\n";

std::string device_with(const std::string& from, const std::string& to) {
  return complaints<Device>(replaced(kToyDevice, from, to));
}
std::string model_with(const std::string& from, const std::string& to) {
  return complaints<Model>(replaced(kToyModel, from, to));
}

}  // namespace

TEST_CASE("the toy files of this test have no complaints") {
  CHECK(complaints<Device>(kToyDevice).empty());
  CHECK(complaints<Model>(kToyModel).empty());
  CHECK(complaints<NodeSpec>(kToyNode).empty());
  CHECK(complaints<FabricSpec>(kToyFabric).empty());
  CHECK(complaints<Site>(kToySite).empty());
}

TEST_CASE("what a file leaves out has the defaults of the header") {
  const Device toy = read_or_die<Device>(kToyDevice);
  CHECK(toy.engines[0].efficiency.decode.value == 0.80);
  CHECK(toy.engines[0].launch_overhead.value == microseconds(4));
  CHECK(toy.lifetime.value == years(5));
  CHECK(toy.status == DeviceStatus::shipping);
  CHECK(toy.memory[0].can_hold(Holds::kv));
  CHECK(toy.find_link("wire") == &toy.links[0]);
  CHECK(toy.find_link("nvlink") == nullptr);
  CHECK(read_or_die<NodeSpec>(kToyNode).device_count() == 8);
}

TEST_CASE("all mistakes of a device are reported at once, each at its place") {
  const std::string text =
      "name: bad\n"
      "source: ''\n"
      "confidence: vendor\n"
      "kind: gpuu\n"
      "engines:\n"
      "  - {name: main, peak: {}, efficiency: {prefill: 1.2}}\n"
      "memory:\n"
      "  - {tier: hbm, capacity: 16 GB/s, bandwidth: 1 TB/s, holds: [weight]}\n"
      "power: {idle: 100 W, tdp: 120 W, active: 30 W, turbo: 1 W}\n";
  CHECK(complaints<Device>(text) ==
        "t.yaml:2:9: error: source: is empty; say where the numbers come from\n"
        "    2 | source: ''\n"
        "      |         ^\n"
        "t.yaml:4:7: error: kind: 'gpuu' is not known here; did you mean 'gpu'?\n"
        "    4 | kind: gpuu\n"
        "      |       ^\n"
        "t.yaml:6:50: error: engines[0].efficiency.prefill: '1.2' is out of range; expected at "
        "most 1\n"
        "    6 |   - {name: main, peak: {}, efficiency: {prefill: 1.2}}\n"
        "      |                                                  ^\n"
        "t.yaml:6:24: error: engines[0].peak: is empty; an engine has a peak for at least one "
        "number format\n"
        "    6 |   - {name: main, peak: {}, efficiency: {prefill: 1.2}}\n"
        "      |                        ^\n"
        "t.yaml:8:27: error: memory[0].capacity: '16 GB/s' is data per time; expected an amount of "
        "data, such as "
        "'80 GB'\n"
        "    8 |   - {tier: hbm, capacity: 16 GB/s, bandwidth: 1 TB/s, holds: [weight]}\n"
        "      |                           ^\n"
        "t.yaml:8:63: error: memory[0].holds[0]: 'weight' is not known here; did you mean "
        "'weights'?\n"
        "    8 |   - {tier: hbm, capacity: 16 GB/s, bandwidth: 1 TB/s, holds: [weight]}\n"
        "      |                                                               ^\n"
        "t.yaml:9:27: error: power.tdp: idle 100 W + active 30.0 W is more than the tdp of 120 W\n"
        "    9 | power: {idle: 100 W, tdp: 120 W, active: 30 W, turbo: 1 W}\n"
        "      |                           ^\n"
        "t.yaml:9:48: error: power: unknown key 'turbo'; accepted: idle, tdp, active, "
        "energy_per_flop\n"
        "    9 | power: {idle: 100 W, tdp: 120 W, active: 30 W, turbo: 1 W}\n"
        "      |                                                ^\n");
}

TEST_CASE("a device without memory, or with none that holds weights, is refused") {
  CHECK(device_with("  - {tier: hbm, capacity: 16 GB, bandwidth: 1 TB/s, holds: [weights, kv]}\n",
                    "  []\n") ==
        "t.yaml:8:3: error: memory: is empty; a device has at least one memory tier\n"
        "    8 |   []\n"
        "      |   ^\n");
  CHECK(device_with("holds: [weights, kv]", "holds: [kv]") ==
        "t.yaml:8:3: error: memory: no tier holds weights; one must say 'holds: [weights, kv]' or "
        "'holds: [weights]'\n"
        "    8 |   - {tier: hbm, capacity: 16 GB, bandwidth: 1 TB/s, holds: [kv]}\n"
        "      |   ^\n");
}

TEST_CASE("memory tiers stand fastest first and have names of their own") {
  CHECK(device_with("links:", "  - {tier: hbm, capacity: 1 GB, bandwidth: 2 TB/s}\nlinks:") ==
        "t.yaml:8:3: error: memory: tiers stand fastest first; 'hbm' (2.00 TB/s) is faster than "
        "'hbm' before it "
        "(1.00 TB/s)\n"
        "    8 |   - {tier: hbm, capacity: 16 GB, bandwidth: 1 TB/s, holds: [weights, kv]}\n"
        "      |   ^\n"
        "t.yaml:8:3: error: memory: two elements are called 'hbm'\n"
        "    8 |   - {tier: hbm, capacity: 16 GB, bandwidth: 1 TB/s, holds: [weights, kv]}\n"
        "      |   ^\n");
}

TEST_CASE("a peak of nothing is refused") {
  CHECK(device_with("100 TFLOP/s", "0 TFLOP/s") ==
        "t.yaml:6:24: error: engines[0].peak: bf16 is 0 FLOP/s; expected more than 0 FLOP/s\n"
        "    6 |   - {name: main, peak: {bf16: 0 TFLOP/s}}\n"
        "      |                        ^\n");
}

TEST_CASE("grouped-query attention needs its own keys and none of latent attention") {
  CHECK(model_with("kv_heads: 2, head_dim: 3", "kv_heads: 3, v_dim: 1") ==
        "t.yaml:7:12: error: attention: kind gqa needs the key 'head_dim'\n"
        "    7 | attention: {kind: gqa, heads: 4, kv_heads: 3, v_dim: 1}\n"
        "      |            ^\n"
        "t.yaml:7:54: error: attention.v_dim: has no meaning with kind gqa\n"
        "    7 | attention: {kind: gqa, heads: 4, kv_heads: 3, v_dim: 1}\n"
        "      |                                                      ^\n"
        "t.yaml:7:44: error: attention.kv_heads: 4 heads cannot share 3 KV heads evenly; heads "
        "must be a multiple of "
        "kv_heads\n"
        "    7 | attention: {kind: gqa, heads: 4, kv_heads: 3, v_dim: 1}\n"
        "      |                                            ^\n");
}

TEST_CASE("latent attention needs four sizes; the query's rank is optional") {
  CHECK(model_with("kind: gqa, heads: 4, kv_heads: 2, head_dim: 3",
                   "kind: mla, heads: 4, kv_lora_rank: 4, qk_rope_dim: 2, qk_nope_dim: 3, v_dim: 3")
            .empty());
  CHECK(model_with("kind: gqa, heads: 4, kv_heads: 2, head_dim: 3",
                   "kind: mla, heads: 4, v_dim: 3") ==
        "t.yaml:7:12: error: attention: kind mla needs the key 'kv_lora_rank'\n"
        "    7 | attention: {kind: mla, heads: 4, v_dim: 3}\n"
        "      |            ^\n"
        "t.yaml:7:12: error: attention: kind mla needs the key 'qk_nope_dim'\n"
        "    7 | attention: {kind: mla, heads: 4, v_dim: 3}\n"
        "      |            ^\n"
        "t.yaml:7:12: error: attention: kind mla needs the key 'qk_rope_dim'\n"
        "    7 | attention: {kind: mla, heads: 4, v_dim: 3}\n"
        "      |            ^\n");
}

TEST_CASE("a misspelt kind is one mistake, not six") {
  CHECK(model_with("kind: gqa", "kind: gqaa") ==
        "t.yaml:7:19: error: attention.kind: 'gqaa' is not known here; did you mean 'gqa'?\n"
        "    7 | attention: {kind: gqaa, heads: 4, kv_heads: 2, head_dim: 3}\n"
        "      |                   ^\n");
}

TEST_CASE(
    "a mixture of experts needs its sizes, and a token cannot visit more experts than there are") {
  CHECK(model_with("kind: dense, hidden: 20",
                   "kind: moe, hidden: 20, experts: 4, experts_per_token: 5, dense_layers: 1") ==
        "t.yaml:8:6: error: ffn: kind moe needs the key 'expert_hidden'\n"
        "    8 | ffn: {kind: moe, hidden: 20, experts: 4, experts_per_token: 5, dense_layers: 1}\n"
        "      |      ^\n"
        "t.yaml:8:26: error: ffn.hidden: has no meaning with kind moe\n"
        "    8 | ffn: {kind: moe, hidden: 20, experts: 4, experts_per_token: 5, dense_layers: 1}\n"
        "      |                          ^\n"
        "t.yaml:8:61: error: ffn.experts_per_token: a token cannot visit 5 of 4 experts\n"
        "    8 | ffn: {kind: moe, hidden: 20, experts: 4, experts_per_token: 5, dense_layers: 1}\n"
        "      |                                                             ^\n"
        "t.yaml:8:6: error: ffn: 'dense_layers' and 'dense_hidden' belong together\n"
        "    8 | ffn: {kind: moe, hidden: 20, experts: 4, experts_per_token: 5, dense_layers: 1}\n"
        "      |      ^\n");
}

TEST_CASE("more windowed layers than layers are refused; as many are not") {
  CHECK(model_with("head_dim: 3}", "head_dim: 3, window: {tokens: 128, layers: 2}}").empty());
  CHECK(model_with("head_dim: 3}", "head_dim: 3, window: {tokens: 128, layers: 3}}") ==
        "t.yaml:7:12: error: attention: 3 windowed layers in a model of 2\n"
        "    7 | attention: {kind: gqa, heads: 4, kv_heads: 2, head_dim: 3, window: {tokens: 128, "
        "layers: 3}}\n"
        "      |            ^\n");
}

TEST_CASE("a topology needs a link, and a link a topology") {
  CHECK(complaints<NodeSpec>(replaced(kToyNode, "link: wire\n", "")) ==
        "t.yaml:1:1: error: topology ring needs 'link', the name of a link of the device\n"
        "    1 | name: box\n"
        "      | ^\n");
  CHECK(complaints<NodeSpec>(replaced(kToyNode, "ring", "none")) ==
        "t.yaml:6:7: error: link: has no use with topology none; name a topology or leave the link "
        "out\n"
        "    6 | link: wire\n"
        "      |       ^\n");
}

TEST_CASE("an edge of a custom fabric ends at a vertex or a node, and never where it began") {
  CHECK(complaints<FabricSpec>(replaced(kToyFabric, "to: right", "to: rigth")) ==
        "t.yaml:7:8: error: edges: 'rigth' is neither a vertex nor a node such as 'node[0]'; did "
        "you mean 'right'?\n"
        "    7 | edges: [{from: left, to: rigth}, {from: 'node[0]', to: left}]\n"
        "      |        ^\n");
  CHECK(complaints<FabricSpec>(replaced(kToyFabric, "to: right", "to: left")) ==
        "t.yaml:7:8: error: edges: 'left' is joined to itself\n"
        "    7 | edges: [{from: left, to: left}, {from: 'node[0]', to: left}]\n"
        "      |        ^\n");
  CHECK(complaints<FabricSpec>(replaced(kToyFabric, "node[0]", "node[-1]"))
            .find("'node[-1]' is neither") != std::string::npos);
}

TEST_CASE("vertices and edges belong to custom fabrics only, which need both") {
  CHECK(
      complaints<FabricSpec>(replaced(kToyFabric, "kind: custom", "kind: leaf-spine")) ==
      "t.yaml:6:11: error: vertices: belongs to kind custom; kind leaf-spine builds its own graph\n"
      "    6 | vertices: [left, right]\n"
      "      |           ^\n"
      "t.yaml:7:8: error: edges: belongs to kind custom; kind leaf-spine builds its own graph\n"
      "    7 | edges: [{from: left, to: right}, {from: 'node[0]', to: left}]\n"
      "      |        ^\n");
  const std::string bare = kToyFabric.substr(0, kToyFabric.find("vertices"));
  CHECK(complaints<FabricSpec>(bare) ==
        "t.yaml:1:1: error: kind custom needs 'vertices'\n"
        "    1 | name: net\n"
        "      | ^\n"
        "t.yaml:1:1: error: kind custom needs 'edges'\n"
        "    1 | name: net\n"
        "      | ^\n");
}

TEST_CASE("a facility is built or rented, not both and not neither") {
  const std::string message =
      "a facility is either built ('capex_per_watt') or rented ('colo_per_kw_month'); give one of "
      "the two\n";
  CHECK(complaints<Site>(replaced(kToySite, "{colo_per_kw_month: 100 USD/kW/month}", "{}")) ==
        "t.yaml:7:11: error: facility: " + message +
            "    7 | facility: {}\n"
            "      |           ^\n");
  CHECK(complaints<Site>(replaced(kToySite, "{colo", "{capex_per_watt: 10 USD/W, colo")) ==
        "t.yaml:7:28: error: facility.capex_per_watt: " + message +
            "    7 | facility: {capex_per_watt: 10 USD/W, colo_per_kw_month: 100 USD/kW/month}\n"
            "      |                            ^\n");
}

TEST_CASE("a tariff starts at midnight and rises") {
  const std::string good =
      "tariff: [{from_hour: 0, price: 0.05 USD/kWh}, {from_hour: 8, price: 0.15 USD/kWh}]\n";
  CHECK(complaints<Site>(kToySite + good).empty());
  CHECK(
      complaints<Site>(kToySite + replaced(good, "from_hour: 8", "from_hour: 0")) ==
      "t.yaml:9:9: error: tariff: from_hour must start at 0 and rise from step to step\n"
      "    9 | tariff: [{from_hour: 0, price: 0.05 USD/kWh}, {from_hour: 0, price: 0.15 USD/kWh}]\n"
      "      |         ^\n");
}

TEST_CASE("a number format multiplies in formats of the same table") {
  const std::string table =
      "source: pencil\n"
      "confidence: assumed\n"
      "formats: [{name: int4, bits: 4, math: [int8]}, {name: int88, bits: 8, math: [int88]}]\n";
  CHECK(complaints<FormatTable>(table) ==
        "t.yaml:3:10: error: formats: int4 is multiplied in 'int8', which is not in the list; did "
        "you mean "
        "'int4'?\n"
        "    3 | formats: [{name: int4, bits: 4, math: [int8]}, {name: int88, bits: 8, math: "
        "[int88]}]\n"
        "      |          ^\n");
  CHECK(complaints<FormatTable>(replaced(table, "int8]}, ", "int88]}, ")).empty());
}

TEST_CASE("the schema of every kind of file names its required keys, head first") {
  const std::string head = R"("required":["name","source","confidence")";
  CHECK(input::schema_of<Device>().find(head + R"(,"kind","engines","memory","power"])") !=
        std::string::npos);
  CHECK(input::schema_of<NodeSpec>().find(head + R"(,"devices","topology","host"])") !=
        std::string::npos);
  CHECK(input::schema_of<FabricSpec>().find(head + R"(,"kind","switch"])") != std::string::npos);
  CHECK(input::schema_of<Site>().find(head) != std::string::npos);
  CHECK(input::schema_of<Model>().find(head) != std::string::npos);
}

}  // namespace tokenyard::catalog
