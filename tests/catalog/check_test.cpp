#include <doctest/doctest.h>

#include "catalog/catalog.hpp"
#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

using Messages = std::vector<std::string>;

Messages messages(const std::vector<Finding>& findings) {
  Messages texts;
  for (const Finding& finding : findings) texts.push_back(finding.message);
  return texts;
}

Device toy() {
  return read_or_die<Device>(kToyDevice);
}

// The toy with `capacity` of SRAM as its only memory.
Device sram_toy(Bytes capacity) {
  Device d = toy();
  d.memory[0].tier = "sram";
  d.memory[0].capacity = capacity;
  return d;
}

template <class T>
Sourced<T> unknown(T low, T high) {
  Sourced<T> number(low + 0.5 * (high - low));
  number.unknown = true;
  number.low = low;
  number.high = high;
  return number;
}

NodeSpec toy_node() {
  NodeSpec node;
  node.name = "box";
  node.devices = {{.device = "toy", .count = 8}};
  node.topology = NodeTopology::ring;
  node.link = "wire";
  node.host.dram = Dram{};
  node.price = usd(9e3);
  return node;
}

}  // namespace

TEST_CASE("the toy device is within the bounds: 16 GB of HBM moves at most 1.3 TB/s") {
  Device d = toy();
  CHECK(check_device(d).empty());
  d.memory[0].bandwidth = terabytes_per_second(1.3);
  CHECK(check_device(d).empty());
  d.memory[0].bandwidth = terabytes_per_second(1.31);
  const std::vector<Finding> findings = check_device(d);
  CHECK(messages(findings) ==
        Messages{
            "memory hbm: 1.31 TB/s out of 16.0 GB; the fastest hbm of that size moves 1.30 TB/s"});
  CHECK((findings.size() == 1 && findings[0].entry == "toy" && !findings[0].error));
}

TEST_CASE("where stacks are counted they bound the bandwidth, 1.3 TB/s each, not the capacity") {
  Device d = toy();
  d.memory[0].stacks = 6;
  d.memory[0].bandwidth = terabytes_per_second(7.8);  // 6 x 1.3, out of 16 GB
  CHECK(check_device(d).empty());
  d.memory[0].bandwidth = terabytes_per_second(7.9);
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm: 7.90 TB/s out of 6 stacks; the fastest hbm moves 1.30 TB/s a stack, "
                 "7.80 TB/s in all"});
  d.memory[0].capacity = gigabytes(1000);  // room for 81 TB/s by capacity
  CHECK(check_device(d).size() == 1);
  d.memory[0].stacks = 1;
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm: 7.90 TB/s out of 1 stack; the fastest hbm moves 1.30 TB/s a stack, "
                 "1.30 TB/s in all"});
}

TEST_CASE("memory called hbm4 may move 2.8 TB/s a stack: 16.8 of six, what hbm3e may not") {
  Device d = toy();
  d.memory[0].stacks = 6;
  d.memory[0].bandwidth = terabytes_per_second(16.8);
  for (const std::string name : {"hbm4", "hbm4e"}) {
    d.memory[0].tier = name;
    CHECK(check_device(d).empty());
  }
  d.memory[0].tier = "hbm3e";
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm3e: 16.8 TB/s out of 6 stacks; the fastest hbm moves 1.30 TB/s a "
                 "stack, 7.80 TB/s in all"});
  d.memory[0].tier = "hbm4";
  d.memory[0].bandwidth = terabytes_per_second(16.9);
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm4: 16.9 TB/s out of 6 stacks; the fastest hbm4 moves 2.80 TB/s a "
                 "stack, 16.8 TB/s in all"});
}

TEST_CASE("the other kinds of memory are bound by their capacity, counted stacks or not") {
  // 8 x 2 GB chips x 144 GB/s; 4 x 4 GB packages x 43 GB/s; one 16 GB module, 102.4 GB/s.
  struct Kind {
    std::string tier;
    double gigabytes_per_second;
  };
  for (const Kind& kind :
       {Kind{"gddr7", 1152}, Kind{"lpddr5x", 172}, Kind{"ddr5", 102.4}, Kind{"dram", 102.4}}) {
    CAPTURE(kind.tier);
    Device d = toy();
    d.memory[0].tier = kind.tier;
    d.memory[0].stacks = 100;
    d.memory[0].bandwidth = 0.999 * gigabytes_per_second(kind.gigabytes_per_second);
    CHECK(check_device(d).empty());
    d.memory[0].bandwidth = 1.001 * gigabytes_per_second(kind.gigabytes_per_second);
    CHECK(check_device(d).size() == 1);
  }
}

TEST_CASE("300 W do at most 8 x 300 = 2400 TFLOP/s in 8 bits, 1200 in 16, 4800 in 4") {
  Device d = toy();
  d.engines[0].peak = {{"fp8", teraflops_per_second(2400)},
                       {"bf16", teraflops_per_second(1200)},
                       {"mxfp4", teraflops_per_second(4800)}};
  CHECK(check_device(d).empty());
  d.engines[0].peak["bf16"] = teraflops_per_second(1210);
  CHECK(messages(check_device(d)) ==
        Messages{"engine main: 1.21 PFLOP/s in bf16 at 300 W; at most 1.20 PFLOP/s (8 TFLOP/s per "
                 "watt at 8 bits)"});
}

TEST_CASE("16 GB of SRAM are 10,667 mm2, thirteen dies of the largest size") {
  CHECK(messages(check_device(sram_toy(gigabytes(16)))) ==
        Messages{"memory sram: 16.0 GB takes at least 10700 mm2 at 1.5 MB/mm2: 13 dies of the "
                 "largest size, 858 mm2"});
  CHECK(check_device(sram_toy(gigabytes(1.287))).empty());  // 858 mm2 x 1.5 MB
}

TEST_CASE("a stated die area replaces the largest die: 384 MiB on 430 mm2 pass, 16 GB do not") {
  Device d = sram_toy(gibibytes(0.375));  // 384 MiB = 402.7 MB; / 430 mm2 = 0.94 MB/mm2
  d.die_area_mm2 = 430.0;
  CHECK(check_device(d).empty());
  d.memory[0].capacity = gigabytes(0.645);  // 430 mm2 x 1.5 MB
  CHECK(check_device(d).empty());
  d.memory[0].capacity = gigabytes(16);
  CHECK(messages(check_device(d)) ==
        Messages{"memory sram: 16.0 GB on 430 mm2 is 37.2 MB/mm2; at most 1.5 MB/mm2, 645 MB"});
}

TEST_CASE("a wafer passes on its own area: 44 GB on 46,225 mm2 are 0.95 MB/mm2") {
  Device wafer = sram_toy(gigabytes(44));
  wafer.memory[0].bandwidth = terabytes_per_second(21e3);
  wafer.power.tdp = watts(23e3);  // 21 PB/s x 0.4 pJ/B = 8.4 kW
  wafer.die_area_mm2 = 46225.0;
  CHECK(check_device(wafer).empty());
  wafer.die_area_mm2.reset();
  CHECK(check_device(wafer).size() == 1);
}

TEST_CASE("all tiers of SRAM share the area: 400 + 300 MB do not fit where 645 MB do") {
  Device d = sram_toy(gigabytes(0.4));
  d.die_area_mm2 = 430.0;
  d.memory.push_back(d.memory[0]);
  d.memory[1].tier = "sram-l2";
  d.memory[1].capacity = gigabytes(0.245);
  CHECK(check_device(d).empty());
  d.memory[1].capacity = gigabytes(0.3);
  CHECK(messages(check_device(d)) ==
        Messages{"memory sram + sram-l2: 700 MB on 430 mm2 is 1.63 MB/mm2; at most 1.5 MB/mm2, "
                 "645 MB"});
}

TEST_CASE("memory cannot cost less energy than its kind, nor draw more than the whole device") {
  Device d = toy();
  d.memory[0].energy = picojoules_per_byte(15);
  CHECK(check_device(d).empty());
  d.memory[0].energy = picojoules_per_byte(14);
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm: 14.0 pJ/B is less than any hbm needs, 15.0 pJ/B"});
  d.memory[0].energy = picojoules_per_byte(310);  // x 1 TB/s = 310 W
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm: at full bandwidth it alone draws 310 W, more than the tdp of 300 W"});
}

TEST_CASE("bandwidth costs the least energy of its kind even where none is stated") {
  // 16 stacks at 1.25 TB/s are 20 TB/s; x 15 pJ/B = 300 W, exactly the tdp.
  Device d = toy();
  d.memory[0].stacks = 17;
  d.memory[0].bandwidth = terabytes_per_second(20);
  CHECK(check_device(d).empty());
  d.memory[0].bandwidth = terabytes_per_second(21);
  const std::string finding =
      "memory hbm: at full bandwidth it alone draws at least 315 W (15.0 pJ/B, the least of any "
      "hbm), more than the tdp of 300 W";
  CHECK(messages(check_device(d)) == Messages{finding});
  d.memory[0].energy = picojoules_per_byte(5);  // stating too little does not help
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm: 5.00 pJ/B is less than any hbm needs, 15.0 pJ/B", finding});
}

TEST_CASE("a tier called rom has no bound, one of an unheard-of kind only its stated energy") {
  Device d = toy();
  d.memory[0].tier = "rom";
  d.memory[0].bandwidth = terabytes_per_second(1e6);
  d.memory[0].energy = picojoules_per_byte(1);
  CHECK(check_device(d).empty());
  d.memory[0].tier = "cxl";
  CHECK(
      messages(check_device(d)) ==
      Messages{"memory cxl: at full bandwidth it alone draws 1.00 MW, more than the tdp of 300 W"});
  d.memory[0].energy.reset();
  CHECK(check_device(d).empty());
}

TEST_CASE("unknown bandwidth and capacity are marked only when no value of their bands passes") {
  Device d = toy();
  d.memory[0].bandwidth = unknown(terabytes_per_second(1.3), terabytes_per_second(9));
  CHECK(check_device(d).empty());
  d.memory[0].bandwidth = unknown(terabytes_per_second(2.7), terabytes_per_second(9));
  d.memory[0].capacity = unknown(gigabytes(16), gigabytes(32));  // 32 GB: 2.6 TB/s
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm: 2.70 TB/s (unknown; the low end of its band) out of 32.0 GB "
                 "(unknown; the high end of its band); the fastest hbm of that size moves 2.60 "
                 "TB/s"});
  d.memory[0].capacity = unknown(gigabytes(16), gigabytes(64));
  CHECK(check_device(d).empty());
}

TEST_CASE("unknown SRAM counts with its low end, an unknown die area with its high end") {
  Device d = toy();
  d.memory[0].tier = "sram";
  d.memory[0].capacity = unknown(gigabytes(0.6), gigabytes(4));
  d.die_area_mm2 = unknown(100.0, 400.0);  // 400 mm2: 600 MB
  CHECK(check_device(d).empty());
  d.die_area_mm2 = unknown(100.0, 300.0);
  CHECK(messages(check_device(d)) ==
        Messages{"memory sram: 600 MB (unknown; the low end of its band) on 300 mm2 (unknown; the "
                 "high end of its band) is 2.00 MB/mm2; at most 1.5 MB/mm2, 450 MB"});
}

TEST_CASE("an unknown peak counts with its low end, an unknown tdp with its high end") {
  Device d = toy();
  d.power.tdp = unknown(watts(100), watts(300));
  d.engines[0].peak = {{"fp8", unknown(teraflops_per_second(2400), teraflops_per_second(9e3))}};
  CHECK(check_device(d).empty());
  d.engines[0].peak = {{"fp8", unknown(teraflops_per_second(2500), teraflops_per_second(9e3))}};
  CHECK(messages(check_device(d)) ==
        Messages{"engine main: 2.50 PFLOP/s (unknown; the low end of its band) in fp8 at 300 W "
                 "(unknown; the high end of its band); at most 2.40 PFLOP/s (8 TFLOP/s per watt at "
                 "8 bits)"});
}

TEST_CASE("an unknown energy passes when any value of its band is at least the kind's") {
  Device d = toy();
  d.memory[0].energy = unknown(picojoules_per_byte(10), picojoules_per_byte(400));
  CHECK(check_device(d).empty());  // 400 is enough, 15 x 1 TB/s = 15 W no more than the tdp
  d.memory[0].energy = unknown(picojoules_per_byte(10), picojoules_per_byte(14));
  CHECK(messages(check_device(d)) ==
        Messages{"memory hbm: 14.0 pJ/B (unknown; the high end of its band) is less than any hbm "
                 "needs, 15.0 pJ/B"});
}

TEST_CASE("a node's device and its link must exist") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(check_node(toy_node(), catalog, diagnostics).empty());
  NodeSpec node = toy_node();
  node.devices[0].device = "toyy";
  CHECK(messages(check_node(node, catalog, diagnostics)) ==
        Messages{"no device 'toyy' in the catalog; did you mean 'toy'?"});
  node = toy_node();
  node.link = "wired";
  const std::vector<Finding> findings = check_node(node, catalog, diagnostics);
  CHECK(messages(findings) == Messages{"link: toy has no link 'wired'; did you mean 'wire'?"});
  CHECK((findings.size() == 1 && findings[0].error));
  CHECK(diagnostics.empty());
}

TEST_CASE("a node without host memory, without a price, or cheaper than its devices is marked") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  NodeSpec node = toy_node();
  node.host.dram.reset();
  CHECK(messages(check_node(node, catalog, diagnostics)) ==
        Messages{"host: no dram; a KV cache cannot be offloaded here"});
  node = toy_node();
  node.price = usd(7.9e3);  // 8 devices at 1000 USD
  CHECK(messages(check_node(node, catalog, diagnostics)) ==
        Messages{"price: 7.90 kUSD is less than its devices at their lowest, 8.00 kUSD"});
  node.price.reset();
  CHECK(messages(check_node(node, catalog, diagnostics)) ==
        Messages{
            "no price, and devices and host do not all have one; this node costs an unknown sum"});
  node.host.price = usd(500);
  CHECK(check_node(node, catalog, diagnostics).empty());
}

}  // namespace tokenyard::catalog
