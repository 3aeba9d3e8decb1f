#pragma once
// The memory tiers below the devices of a replica that keep its KV caches, as the scenario asks for them
// and its node has them.
//
//   dram    host DRAM, the replica's share of 80 % of it by devices; over the devices' links to the host, at
//           most at the replica's share of the DRAM's bandwidth
//   ssd     the replica's share of 80 % of the node's drives; at their bandwidth, which all replicas of the
//           node share, and no faster than the devices' links to the host
//   remote  one pool of all nodes together, as large as the scenario says; over the nodes' NICs and the
//           fabric.  What the node itself keeps of the pool comes over the links to the host.
//
// Energy of a byte read or written, where the scenario does not say: assumed from the energies of DDR5 (180
// pJ/B) and PCIe (5 pJ/bit) for dram, 220 pJ/B; with 14 W at 7 GB/s of a drive for ssd, 2,200 pJ/B; with
// DRAM at both ends and 20 pJ/bit of optics and switches for remote, 600 pJ/B.
//
// Worked example: 8 devices share 2 TB of DRAM; a replica of 4 keeps 0.8 TB there, and with PCIe links of
// 55 GB/s each brings 10.7 GB (32,768 tokens of Llama 3.1 70B at bf16) in 49 ms.
#include <optional>
#include <string>
#include <vector>

#include "scenario/plan.hpp"

namespace tokenyard::perf {

struct KvTierPlace {
  scenario::KvTierKind kind = scenario::KvTierKind::dram;
  double capacity_bytes = 0.0;   // of the replica; remote: of all
  double bytes_per_s = 0.0;      // of the replica alone
  double joules_per_byte = 0.0;  // read or written
};

// In the order of the scenario.
std::vector<KvTierPlace> kv_tier_places(const scenario::PoolPlan& pool,
                                        const scenario::DeploymentPlan& deployment,
                                        const scenario::KvCacheSpec& spec);

// One block of the KV cache of a replica, as it is kept below, in bytes: one copy, without windowed layers.
double kept_block_bytes(const scenario::DeploymentPlan& deployment, std::int64_t block_tokens);

// Nodes that lack the memory that the scenario counts on.
void check_kv_tiers(const scenario::Plan& plan, Diagnostics& diagnostics);

}  // namespace tokenyard::perf
