#pragma once
// Where models are kept that share devices while another one of them is loaded, and how long loading
// takes.
//
// All of a pool's models have a copy there, as loading copies and does not exchange.  Each device keeps
// its shares of them in the nearest memory that has room for all:
//
//   device    the tier of the device that parks models, else the next one below that of the weights;
//             what a served model leaves of it
//   dram      the host's DRAM, over the device's host link or its share of the DRAM's bandwidth
//   ssd       the host's SSD, over the same link or its share of the SSD's bandwidth
//   network   a store that has everything, at load_bandwidth for a replica
//
//   t = weight bytes of a device / (bandwidth * ingress efficiency)
//
// Worked example: two models of 8 GB on a device with 1,500 GB of DDR at 200 GB/s behind its HBM: 16 GB
// parked there, 40 ms to load one.  From DRAM over PCIe at 50 GB/s it is 160 ms, from an SSD at 7 GB/s
// 1.14 s, from the network at 5 GB/s 1.6 s.
//
// Leaves out warm-up and compilation, what else the host's memory holds (KV caches that are swapped out,
// the operating system), the energy of the copy, and replicas that load from one store at once.
#include <optional>
#include <string>

#include "perf/placement.hpp"

namespace tokenyard::perf {

struct Parking {
  std::string where;              // the tier's name, "host DRAM", "host SSD" or "the network"
  double bytes_per_device = 0.0;  // of all models
  double bytes_per_s = 0.0;       // of one device
  std::string problem;            // non-empty: there is no room, or nothing is known of it
  // Of a model that is placed so.
  [[nodiscard]] double load_s(const Placement& placement) const {
    return placement.weight_bytes / bytes_per_s;
  }
};

// Of a pool whose models share devices.
Parking park_models(const scenario::PoolPlan& pool, const scenario::ServingSpec& serving);

// Checks that the models of each such pool have a place; problems go to `diagnostics`.
void check_parking(const scenario::Plan& plan, Diagnostics& diagnostics);

}  // namespace tokenyard::perf
