#pragma once
// A folder with a whole catalog of round numbers, for tests that read files.
//
//   node toy-node     two toy devices: 100 TFLOP/s bf16, 16 GB at 1 TB/s, 100 W idle, 300 W at
//   most,
//                     1,000 USD; joined by a switch of 100 GB/s, one NIC of 50 GB/s
//   model toy-4b      4.0 G parameters (see support/toy.hpp), 64 heads, 8 layers
//   model toy-moe     32 layers of 8 experts, 2 a token
//   formats           bf16 (16 bits), fp8 (8 bits, computed in bf16), wide (32 bits, in bf16),
//                     alien (8 bits, in itself, which the toy device cannot)
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "perf/placement.hpp"
#include "scenario/resolve.hpp"

namespace tokenyard::test {

inline const std::map<std::string, std::string>& toy_catalog_files() {
  static const std::map<std::string, std::string> kFiles = {
      {"hardware_catalog/devices/toy.yaml",
       R"(name: toy
source: pencil
confidence: assumed
kind: gpu
engines:
  - name: main
    peak: {bf16: 100 TFLOP/s}
    efficiency: {prefill: 1, decode: 1, attention_prefill: 1, attention_decode: 1}
    launch_overhead: 0 s
    roofline_exponent: 1000
    activation_traffic: 0
memory:
  - {tier: hbm, capacity: 16 GB, bandwidth: 1 TB/s, energy: 100 pJ/B, holds: [weights, kv]}
links:
  - {name: wire, bandwidth: 100 GB/s, latency: 1 us}
power: {idle: 100 W, tdp: 300 W, energy_per_flop: {bf16: 1 pJ/FLOP}}
price: 1000 USD
)"},
      {"hardware_catalog/nodes/toy-node.yaml",
       R"(name: toy-node
source: pencil
confidence: assumed
devices: [{device: toy, count: 2}]
topology: all-to-all-switch
link: wire
host: {cpu: none, price: 100 USD}
nics: [{name: nic, bandwidth: 50 GB/s, price: 10 USD}]
)"},
      {"hardware_catalog/fabrics/toy-switch.yaml",
       R"(name: toy-switch
source: pencil
confidence: assumed
kind: single-switch
switch: {ports: 64, bandwidth: 50 GB/s, latency: 1 us, power: 500 W, price: 10 kUSD}
cable: {price: 0 USD}
)"},
      {"hardware_catalog/sites/toy-site.yaml",
       R"(name: toy-site
source: pencil
confidence: assumed
electricity: 0.10 USD/kWh
pue: 1
carbon_intensity: 0.4 kg/kWh
facility: {colo_per_kw_month: 100 USD/kW/month}
rack: {power_limit: 100 kW, price: 0 USD}
)"},
      {"workloads/models/toy-4b.yaml",
       R"(name: toy-4b
source: pencil
confidence: assumed
layers: 8
hidden: 8000
vocabulary: 100000
attention: {kind: gqa, heads: 64, kv_heads: 16, head_dim: 125}
ffn: {kind: dense, hidden: 15000, gated: false}
parameters: 4.0 G
active_parameters: 4.0 G
max_context: 100000
tied_embeddings: true
)"},
      {"workloads/models/toy-moe.yaml",
       R"(name: toy-moe
source: pencil
confidence: assumed
layers: 32
hidden: 1000
vocabulary: 1000
attention: {kind: gqa, heads: 8, kv_heads: 8, head_dim: 125}
ffn: {kind: moe, experts: 8, experts_per_token: 2, expert_hidden: 1000, gated: false}
parameters: 641 M
active_parameters: 257 M
max_context: 100000
tied_embeddings: true
)"},
      {"workloads/formats.yaml",
       R"(source: pencil
confidence: assumed
formats:
  - {name: bf16, bits: 16, math: [bf16]}
  - {name: fp8, bits: 8, math: [fp8, bf16]}
  - {name: wide, bits: 32, math: [bf16]}
  - {name: alien, bits: 8, math: [alien]}
)"},
      // Ten requests, one a second: 100 tokens in, 10 out.
      {"workloads/ten.jsonl",
       [] {
         std::string text = R"({"tokenyard_trace":1,"block_tokens":512})"
                            "\n";
         for (int i = 0; i < 10; ++i) {
           text += "{\"id\":" + std::to_string(i) + ",\"arrival_s\":" + std::to_string(i) +
                   ",\"input_tokens\":100,\"output_tokens\":10}\n";
         }
         return text;
       }()},
      {"workloads/ten.yaml", "name: ten\ntrace: {file: ten.jsonl}\n"},
  };
  return kFiles;
}

// A scenario that is right in every way, to be spoilt or extended.
inline const std::string kToyScenario =
    "name: toy\n"
    "workload: workloads/ten.yaml\n"
    "fleet:\n"
    "  site: toy-site\n"
    "  fabric: toy-switch\n"
    "  pools:\n"
    "    - name: main\n"
    "      node: toy-node\n"
    "      deploy:\n"
    "        model: toy-4b\n";

class ToyYard {
 public:
  ToyYard() {
    std::string name = (std::filesystem::temp_directory_path() / "tokenyard_yard_XXXXXX").string();
    check(::mkdtemp(name.data()) != nullptr, "no scratch folder");
    root_ = name;
    for (const auto& [path, text] : toy_catalog_files()) write(path, text);
  }
  ~ToyYard() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  ToyYard(const ToyYard&) = delete;
  ToyYard& operator=(const ToyYard&) = delete;

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  // Replaces the one place in a file where `from` stands.
  void edit(const std::string& path, const std::string& from, const std::string& to) const {
    std::ifstream in(root_ / path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const std::size_t at = text.find(from);
    check(at != std::string::npos && text.find(from, at + 1) == std::string::npos,
          "a test replaces text that does not stand there once");
    write(path, text.replace(at, from.size(), to));
  }
  [[nodiscard]] std::string file(const std::string& path) const { return (root_ / path).string(); }

  // The plans of the scenario `text`, which is called s.yaml.
  [[nodiscard]] std::vector<scenario::Plan> plans(const std::string& text,
                                                  const scenario::Overrides& overrides = {}) const {
    write("s.yaml", text);
    catalog::Catalog catalog(root_.string());
    return scenario::load_plans(file("s.yaml"), overrides, catalog, {.fits = perf::fits});
  }
  [[nodiscard]] scenario::Plan plan(const std::string& text = kToyScenario,
                                    const scenario::Overrides& overrides = {}) const {
    std::vector<scenario::Plan> all = plans(text, overrides);
    check(all.size() == 1, "a test expects one plan");
    return std::move(all.front());
  }
  // The whole message of the InputError that `f` throws, paths below this folder shortened; "" when
  // it throws none.
  template <class F>
  [[nodiscard]] std::string message_of(F f) const {
    try {
      f();
    } catch (const InputError& error) {
      return shortened(error.what());
    }
    return "";
  }
  // What is wrong with the scenario `text`.
  [[nodiscard]] std::string refusal(const std::string& text,
                                    const scenario::Overrides& overrides = {}) const {
    return message_of([&] { static_cast<void>(plans(text, overrides)); });
  }
  // The first line of it, without its place.
  [[nodiscard]] std::string complaint(const std::string& text) const {
    const std::string what = refusal(text);
    const std::size_t start = what.find("error: ");
    return what.empty() ? "" : what.substr(start + 7, what.find('\n') - start - 7);
  }
  [[nodiscard]] std::string shortened(std::string text) const {
    const std::string prefix = root_.string() + '/';
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at))
      text.erase(at, prefix.size());
    for (std::size_t at = text.find(root_.string()); at != std::string::npos;
         at = text.find(root_.string(), at))
      text.replace(at, root_.string().size(), "YARD");
    return text;
  }

 private:
  std::filesystem::path root_;
};

}  // namespace tokenyard::test
