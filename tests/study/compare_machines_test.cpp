#include "study/compare_machines.hpp"

#include <doctest/doctest.h>

#include "support/toy_yard.hpp"

namespace tokenyard::study {
namespace {

using test::ToyYard;

constexpr const char* kToyDevice = "hardware_catalog/devices/toy.yaml";
constexpr const char* kToyNode = "hardware_catalog/nodes/toy-node.yaml";

// One device to a node: nothing to split a model over.
struct LoneYard : ToyYard {
  LoneYard() { edit(kToyNode, "count: 2", "count: 1"); }
};

double as_double(std::int64_t n) {
  return static_cast<double>(n);
}

doctest::Approx near(double value) {
  return doctest::Approx(value).epsilon(1e-9).scale(0.0);
}

CompareSpec toy_spec(std::int64_t context = 1000) {
  CompareSpec spec;
  spec.model = "toy-4b";
  spec.context = context;
  spec.host = {.per_step = seconds(0), .per_sequence = seconds(0)};
  return spec;
}

std::vector<MachineRow> rows_of(const ToyYard& yard, const CompareSpec& spec,
                                input::BandEnd unknowns = input::BandEnd::middle) {
  catalog::Catalog catalog(yard.file(""), unknowns);
  return compare_machines(catalog, spec);
}

MachineRow row_of(const ToyYard& yard, const CompareSpec& spec = toy_spec()) {
  const std::vector<MachineRow> rows = rows_of(yard, spec);
  REQUIRE(rows.size() == 1);
  return rows.front();
}

std::string refusal(const ToyYard& yard, const CompareSpec& spec) {
  return yard.message_of([&] { rows_of(yard, spec); });
}

// A second node, with one device of twice the bandwidth.
void add_fast_node(const ToyYard& yard) {
  yard.write("hardware_catalog/devices/fast.yaml",
             test::toy_catalog_files().at("hardware_catalog/devices/toy.yaml"));
  yard.edit("hardware_catalog/devices/fast.yaml", "name: toy", "name: fast");
  yard.edit("hardware_catalog/devices/fast.yaml", "bandwidth: 1 TB/s", "bandwidth: 2 TB/s");
  yard.write("hardware_catalog/nodes/fast-node.yaml",
             "name: fast-node\nsource: pencil\nconfidence: assumed\n"
             "devices: [{device: fast, count: 1}]\n"
             "topology: none\nhost: {cpu: none}\n");
}

}  // namespace

// Two devices of 1,000 USD, a host of 100 and a NIC of 10: 1,055 USD a device, over 1 TB/s and 16 GB.
TEST_CASE(
    "1 TB/s, 100 TFLOP/s, 16 GB in half a node of 2,110 USD: 0.01 B/FLOP, 1.055 USD per GB/s") {
  const ToyYard yard;
  const MachineRow row = row_of(yard);
  CHECK(row.node == "toy-node");
  CHECK(row.device == "toy");
  CHECK(row.tier == "hbm");
  CHECK(row.weights + '/' + row.kv == "bf16/bf16");
  CHECK(row.bytes_per_flop->base() == near(0.01));
  CHECK(row.price_per_bandwidth->base() == near(1.055e-9));
  CHECK(row.price_per_capacity->base() == near(1055.0 / 16e9));
  CHECK(row.weight_energy->base() == near(100e-12));
}

TEST_CASE("8 GB of weights at 1 TB/s are 125 tokens/s at batch 1, less what the KV cache takes") {
  const LoneYard yard;
  // 64 kB a token: one is written, `context` are read.
  const MachineRow row = row_of(yard, toy_spec(1));
  REQUIRE(row.one);
  CHECK(row.one->batch == 1);
  CHECK(row.one->tokens_per_s == near(125.0 / (1.0 + 2 * 64e-9 / 8e-3)));
  CHECK(row.one->bound_by == Cause::weight_bw);
  CHECK(row_of(yard, toy_spec(1000)).one->step.base() == near(8e-3 + 1001 * 64e-9));
}

TEST_CASE("the work of the host between steps is part of a step") {
  const LoneYard yard;
  CompareSpec spec = toy_spec();
  spec.host = {.per_step = milliseconds(10), .per_sequence = seconds(0)};
  const MachineRow row = row_of(yard, spec);
  CHECK(row.one->step.base() == near(10e-3 + 8e-3 + 1001 * 64e-9));
  CHECK(row.one->bound_by == Cause::host);
}

// Room: 14.4 GB less 8 GB of weights and 512 (2 * 8000 + 2 * 15000) 2 B of workspace: 6,204 blocks
// of 1.024 MB; 1,000 tokens take 63.  B = 98: 8 ms + 98 * 1,001 * 64 ns; products take 7.84 ms, so
// memory binds.  Joules: 100 W idle, 14.278272 GB at 100 pJ, 98 * (8 G + 256 M) FLOP at 1 pJ.
TEST_CASE("the best batch fills the KV cache: 98 sequences in 14.278272 ms at 37.4 mJ a token") {
  const LoneYard yard;
  const MachineRow row = row_of(yard);
  REQUIRE(row.best);
  CHECK(row.fewest.devices == 1);
  CHECK(row.best->batch == 98);
  CHECK(row.best->step.base() == near(14.278272e-3));
  CHECK(row.best->tokens_per_s == near(98 / 14.278272e-3));
  CHECK(row.tokens_per_s_per_device() == near(98 / 14.278272e-3));
  CHECK(row.best->bound_by == Cause::weight_bw);
  CHECK(row.best->joules_per_token == near((1.4278272 + 1.4278272 + 0.809088) / 98));
  CHECK(row.cannot == "");
}

// 8,192 tokens in a step take 754 MB: 5,514 blocks.
TEST_CASE("prompts in larger chunks leave less room for the KV cache: 87 sequences instead of 98") {
  const LoneYard yard;
  CompareSpec spec = toy_spec();
  spec.max_batch_tokens = 8192;
  CHECK(row_of(yard, spec).best->batch == 87);
}

// A schedule for max_batch, 256 sequences, would take 20.5 ms of products.
TEST_CASE("a machine with a static schedule is compiled for the batch that it decodes") {
  const LoneYard yard;
  const MachineRow free = row_of(yard);
  yard.edit(kToyDevice, "kind: gpu", "kind: gpu\nstatic_schedule: true");
  const MachineRow row = row_of(yard);
  CHECK(row.one->step.base() == near(8e-3 + 1001 * 64e-9));
  REQUIRE(row.best);
  CHECK(row.best->batch == free.best->batch);
  CHECK(row.best->step.base() == near(free.best->step.base()));
}

TEST_CASE("the best batch is no larger than max_batch and than steps of tpot allow") {
  const LoneYard yard;
  CompareSpec spec = toy_spec();
  spec.max_batch = 86;
  CHECK(row_of(yard, spec).best->batch == 86);
  // 8 ms + 31 * 1,001 * 64 ns = 9.986 ms; one more is 10.050 ms.
  spec.tpot = milliseconds(10);
  CHECK(row_of(yard, spec).best->batch == 31);
}

TEST_CASE("a machine whose single sequence is too slow says so and keeps its other numbers") {
  const LoneYard yard;
  CompareSpec spec = toy_spec();
  spec.tpot = milliseconds(8);
  const MachineRow row = row_of(yard, spec);
  CHECK_FALSE(row.best);
  CHECK(row.one);
  CHECK(row.fewest.devices == 1);
  CHECK(row.cannot == "a token takes 8.06 ms at batch 1, more than 8.00 ms");
}

// 3.6 GB of 4 GB usable.  Half of 8 GB does not fit; on 2 x 2 devices a quarter of 6.4 GB of layers
// and half of 1.6 GB of LM head do.
TEST_CASE("a model too large for a node's two devices takes four, in two stages") {
  const ToyYard yard;
  yard.edit(kToyDevice, "capacity: 16 GB", "capacity: 4 GB");
  const MachineRow row = row_of(yard);
  CHECK(row.fewest.devices == 4);
  CHECK(row.fewest.tensor == 2);
  CHECK(row.fewest.pipeline == 2);
  REQUIRE(row.best);
  CHECK(row.tokens_per_s_per_device() ==
        near(row.best->tokens_per_s / as_double(row.best->split.devices)));
}

TEST_CASE("a machine that cannot hold the model says what is short and by how much") {
  const ToyYard yard;
  yard.edit(kToyDevice, "capacity: 16 GB", "capacity: 4 GB");
  yard.edit(kToyNode, "count: 2", "count: 1");
  yard.edit(kToyNode, "nics: [{name: nic, bandwidth: 50 GB/s, price: 10 USD}]\n", "");
  const MachineRow row = row_of(yard);
  CHECK(row.cannot ==
        "toy-4b does not fit toy on 1 device: weights 8.00 GB + workspace 47.1 MB + KV of 1000 "
        "tokens 64.5 MB per device > 3.60 GB, 90.0 % of hbm 4.00 GB; short by 4.51 GB per device");
  CHECK(row.fewest.devices == 0);
  CHECK_FALSE(row.one);
  CHECK_FALSE(row.best);
  // What is known of the device without the model stays.
  CHECK(row.tier == "hbm");
  CHECK(row.bytes_per_flop->base() == near(0.01));
  CHECK(row.price_per_capacity->base() == near((1000.0 + 100.0) / 4e9));
}

TEST_CASE("a node sold as a system has its own price; one with a part of unknown price has none") {
  const ToyYard yard;
  yard.edit(kToyNode, "topology:", "price: 3000 USD\ntopology:");
  CHECK(row_of(yard).price_per_bandwidth->base() == near(1.5e-9));
  yard.edit(kToyNode, "price: 3000 USD\n", "");
  yard.edit(kToyNode, "{cpu: none, price: 100 USD}", "{cpu: none}");
  CHECK_FALSE(row_of(yard).price_per_bandwidth);
  CHECK_FALSE(row_of(yard).price_per_capacity);
}

// 9 GB usable.  Alone, 953 MB are left beside 8 GB of weights: 14 sequences of 64.5 MB in 8.897 ms,
// 1,574 tokens/s.  Of two, each has 4 GB of weights and 4.968 GB left: 154 sequences of 32.3 MB.  A
// step then multiplies 616 GFLOP on each, in 6.16 ms, reads 154 * 1,000 * 32 kB, and reduces 16
// times 154 * 16 kB and gathers half of 154 * 200 kB of logits, each in 11 us and at 80 GB/s.
TEST_CASE("a model that just fits one device is decoded on two: 6,438 tokens/s each, not 1,574") {
  const ToyYard yard;
  yard.edit(kToyDevice, "capacity: 16 GB", "capacity: 10 GB");
  const MachineRow row = row_of(yard);
  CHECK(text_of(row.fewest) == "1x1");
  REQUIRE(row.best);
  CHECK(text_of(row.best->split) == "2x1");
  CHECK(row.best->batch == 154);
  CHECK(row.best->step.base() ==
        near(6.16e-3 + 4.928e-3 + 16 * (11e-6 + 154 * 16e3 / 80e9) + 11e-6 + 15.4e6 / 80e9));
  CHECK(row.tokens_per_s_per_device() == near(77 / row.best->step.base()));
  CHECK(text_of(row.one->split) == "2x1");
}

// One KV head, which both ranks of a layer would have to keep: 32 MB a sequence on each.
// With half of the experts each device has room for twice the sequences that one has with all.
TEST_CASE("experts are dealt out where attention on whole sequences leaves more room") {
  const ToyYard yard;
  yard.edit("workloads/models/toy-moe.yaml", "kv_heads: 8", "kv_heads: 1");
  yard.edit(kToyDevice, "capacity: 16 GB", "capacity: 2 GB");
  CompareSpec spec = toy_spec(2000);
  spec.model = "toy-moe";
  const MachineRow row = row_of(yard, spec);
  REQUIRE(row.best);
  CHECK(text_of(row.best->split) == "EP2");
  CHECK(row.best->split.devices == 2);
}

TEST_CASE("splits are written as tensor by pipeline, or by the ranks that share the experts") {
  CHECK(text_of({.devices = 16, .tensor = 8, .expert = 1, .pipeline = 2}) == "8x2");
  CHECK(text_of({.devices = 8, .tensor = 1, .expert = 8, .pipeline = 1}) == "EP8");
  CHECK(text_of({.devices = 16, .tensor = 1, .expert = 8, .pipeline = 2}) == "EP8x2");
}

TEST_CASE("devices that no link joins are not split over") {
  const ToyYard yard;
  yard.edit(kToyNode, "topology: all-to-all-switch\nlink: wire\n", "topology: none\n");
  CHECK(text_of(row_of(yard).best->split) == "1x1");
}

TEST_CASE("weights that are multiplied in place take no time to read; their tier says the rate") {
  const LoneYard yard;
  yard.edit(kToyDevice, "energy: 100 pJ/B,", "energy: 100 pJ/B, compute_in_place: true,");
  const MachineRow row = row_of(yard);
  CHECK(row.bytes_per_flop->base() == near(0.01));
  // 8 GFLOP at 100 TFLOP/s; the written KV hides behind the products, the read KV does not.
  CHECK(row.one->step.base() == near(80e-6 + 1000 * 64e-9));
  CHECK(row.one->bound_by == Cause::compute);
}

TEST_CASE("windowed layers see no more of a context than their window") {
  const LoneYard yard;
  yard.edit("workloads/models/toy-4b.yaml", "head_dim: 125}",
            "head_dim: 125, window: {tokens: 100, layers: 6}}");
  // 64 kB a token in 8 layers: 2 of them read 1,000 tokens, 6 read 100.
  CHECK(row_of(yard).one->step.base() == near(8e-3 + 64e-9 * (1 + 250 + 75)));
  CHECK(row_of(yard, toy_spec(50)).one->step.base() == near(8e-3 + 64e-9 * (1 + 50)));
}

TEST_CASE("machines are sorted by tokens/s of a device; those that cannot come last") {
  const ToyYard yard;
  add_fast_node(yard);
  std::vector<MachineRow> rows = rows_of(yard, toy_spec());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].node == "fast-node");
  CHECK(rows[1].node == "toy-node");
  yard.edit("hardware_catalog/devices/fast.yaml", "capacity: 16 GB", "capacity: 4 GB");
  rows = rows_of(yard, toy_spec());
  CHECK(rows[0].node == "toy-node");
  CHECK(rows[1].node == "fast-node");
  CHECK(rows[1].cannot != "");
}

TEST_CASE(
    "machines that are not sold yet, or not known in full, stand below slower ones that are") {
  const std::string fast = "hardware_catalog/devices/fast.yaml";
  for (const auto& [from, to] :
       {std::pair{"kind: gpu", "kind: gpu\nstatus: projected"},
        std::pair{"bandwidth: 2 TB/s",
                  "bandwidth: {value: unknown, low: 2 TB/s, high: 3 TB/s, source: x}"}}) {
    const ToyYard yard;
    add_fast_node(yard);
    yard.edit(fast, from, to);
    const std::vector<MachineRow> rows = rows_of(yard, toy_spec());
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].node == "toy-node");
    CHECK(rows[0].is_known());
    CHECK(rows[1].node == "fast-node");
    CHECK_FALSE(rows[1].is_known());
    CHECK(rows[1].tokens_per_s_per_device() > rows[0].tokens_per_s_per_device());
  }
}

TEST_CASE("a node that is named twice is compared once") {
  const ToyYard yard;
  CompareSpec spec = toy_spec();
  spec.nodes = {"toy-node", "toy-node"};
  CHECK(rows_of(yard, spec).size() == 1);
}

TEST_CASE("only the nodes asked for are compared") {
  const ToyYard yard;
  add_fast_node(yard);
  CompareSpec spec = toy_spec();
  spec.nodes = {"toy-node"};
  CHECK(row_of(yard, spec).node == "toy-node");
}

TEST_CASE("an unknown number is counted and stands for either end of its band: 1 or 4 TB/s") {
  const ToyYard yard;
  CHECK(row_of(yard).unknown == 0);
  yard.edit(kToyDevice, "bandwidth: 1 TB/s",
            "bandwidth: {value: unknown, low: 1 TB/s, high: 4 TB/s}");
  const MachineRow row = row_of(yard);
  CHECK(row.unknown == 1);
  CHECK(row.bytes_per_flop->base() == near(0.02));
  CHECK(rows_of(yard, toy_spec(), input::BandEnd::low).front().bytes_per_flop->base() ==
        near(0.01));
  CHECK(rows_of(yard, toy_spec(), input::BandEnd::high).front().bytes_per_flop->base() ==
        near(0.04));
}

TEST_CASE("a format that the device cannot compute with is a reason, not an error") {
  const ToyYard yard;
  CompareSpec spec = toy_spec();
  spec.weights = "alien";
  const MachineRow row = row_of(yard, spec);
  CHECK(row.cannot == "'alien' cannot be computed with on toy, whose engine main offers bf16");
  CHECK_FALSE(row.bytes_per_flop);
}

TEST_CASE("the context is 8,192 tokens, or the model's longest if that is shorter") {
  const ToyYard yard;
  CompareSpec spec = toy_spec();
  spec.context = std::nullopt;
  catalog::Catalog catalog(yard.file(""));
  CHECK(context_of(catalog, spec) == 8192);
  yard.edit("workloads/models/toy-4b.yaml", "max_context: 100000", "max_context: 4096");
  catalog::Catalog shorter(yard.file(""));
  CHECK(context_of(shorter, spec) == 4096);
}

TEST_CASE("names that the catalog does not have are refused with the nearest") {
  const ToyYard yard;
  const auto with = [&](auto member, const auto& value) {
    CompareSpec spec = toy_spec();
    spec.*member = value;
    return refusal(yard, spec);
  };
  CHECK(with(&CompareSpec::model, "toy-4") ==
        "error: no model 'toy-4' in the catalog; did you mean 'toy-4b'?");
  CHECK(with(&CompareSpec::nodes, std::vector<std::string>{"toy-nod"}) ==
        "error: no node 'toy-nod' in the catalog; did you mean 'toy-node'?");
  CHECK(with(&CompareSpec::fabric, "toy-swich") ==
        "error: no fabric 'toy-swich' in the catalog; did you mean 'toy-switch'?");
  CHECK(with(&CompareSpec::weights, "bf17") ==
        "error: no number format 'bf17'; did you mean 'bf16'?");
  CHECK(with(&CompareSpec::kv, "f8") == "error: no number format 'f8'; did you mean 'fp8'?");
  CHECK(with(&CompareSpec::max_batch_tokens, 256) ==
        "error: 256 tokens in a step leave no room for 256 sequences and a prompt");
  CHECK(with(&CompareSpec::context, 100'001) ==
        "error: a context of 100001 tokens is more than the 100000 of toy-4b");
}

}  // namespace tokenyard::study
