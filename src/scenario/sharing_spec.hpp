#pragma once
// Models that share the devices of a pool, of which one is loaded at a time.
#include <array>
#include <optional>
#include <string_view>

#include "base/units.hpp"
#include "input/fields.hpp"

namespace tokenyard::scenario {

enum class SharePolicy { swap };
constexpr auto enum_names(SharePolicy) {
  return std::array<std::string_view, 1>{"swap"};
}
// When a model that requests wait for gets the devices: once nobody asks for the one that is loaded; or
// also once that one was there for min_residence and has finished what runs.
enum class SwapAfter { idle, residence };
constexpr auto enum_names(SwapAfter) {
  return std::array<std::string_view, 2>{"idle", "residence"};
}
// Where models that are not loaded are kept: the nearest memory that holds all of them, or the named one.
enum class Parked { automatic, device, dram, ssd, network };
constexpr auto enum_names(Parked) {
  return std::array<std::string_view, 5>{"auto", "device", "dram", "ssd", "network"};
}
struct SharingSpec {
  SharePolicy policy = SharePolicy::swap;
  SwapAfter swap_after = SwapAfter::residence;
  std::optional<Seconds> min_residence;  // absent: ten times as long as the model takes to load
  Parked parked = Parked::automatic;
  BytesPerSecond load_bandwidth = BytesPerSecond::from_base(5e9);  // of a replica, parked: network
};

void describe(input::Fields& f, SharingSpec& x);

}  // namespace tokenyard::scenario
