#pragma once
// How a fleet is operated: clients that give up, requests that are turned away, failures and repairs,
// replicas that come and go.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "input/fields.hpp"

namespace tokenyard::scenario {

// What a client waits for before its time is over.
enum class WaitsFor { first_token, answer };
constexpr auto enum_names(WaitsFor) {
  return std::array<std::string_view, 2>{"first-token", "answer"};
}
// Clients that stop waiting, and ask again: after `backoff`, and twice as long each further time.
struct ClientSpec {
  std::optional<Seconds> timeout;  // absent: they wait for ever
  WaitsFor waits_for = WaitsFor::first_token;
  std::int64_t retries = 0;
  Seconds backoff = seconds(1);
};

// What becomes of a request whose first token would come too late.
enum class Overload { accept, reject, defer };
constexpr auto enum_names(Overload) {
  return std::array<std::string_view, 3>{"accept", "reject", "defer"};
}
struct OverloadSpec {
  Overload policy = Overload::accept;
  std::optional<Seconds> ttft;  // the limit; absent: that of the SLO for its highest percentile
};

// Requests of a kind that go to one pool.  The first route that matches holds.
struct RouteSpec {
  std::string pool;
  std::optional<std::string> request_class;  // key `class`
  std::optional<std::int64_t> max_input_tokens;
  std::optional<std::int64_t> max_output_tokens;
  bool spill = true;  // where that pool cannot take it, any other may
};

// How often something fails, and how long until it works again.
struct FailureSpec {
  std::optional<double> per_year;  // of one; absent: the catalog's
  Seconds repair = hours(4);
};
// A failure at a stated time, of a node of a pool.
struct FaultEvent {
  Seconds at;
  std::string pool;
  std::int64_t node = 0;  // of the pool
  Seconds duration = hours(4);
};
// Nodes that are taken out in turn: drained first, then away.
struct MaintenanceSpec {
  std::string pool;
  Seconds start;
  Seconds duration = hours(1);
  std::int64_t nodes = 1;  // at a time; the next ones follow until all had their turn
};
// Repair of a device: four hours by hot swap, a day for a node, assumed alike for cables and switches (sites with
// spares on hand); detection: assumed, some missed health checks.
struct FaultsSpec {
  bool enabled = false;
  double rate_scale = 1.0;  // multiplies all rates: an hour shows what a year would
  FailureSpec device{.per_year = std::nullopt, .repair = hours(4)};
  FailureSpec node{.per_year = std::nullopt, .repair = hours(24)};
  FailureSpec link{.per_year = std::nullopt, .repair = hours(4)};
  FailureSpec network_switch{.per_year = std::nullopt, .repair = hours(4)};
  Seconds detection = seconds(10);  // until requests are sent elsewhere
  std::vector<FaultEvent> events;
  std::vector<MaintenanceSpec> maintenance;
};

enum class ScalePolicy { queue, utilization, slo };
constexpr auto enum_names(ScalePolicy) {
  return std::array<std::string_view, 3>{"queue", "utilization", "slo"};
}
// What replicas do that are not needed.
enum class ScaledDown { off, idle };
constexpr auto enum_names(ScaledDown) {
  return std::array<std::string_view, 2>{"off", "idle"};
}
// The cooldown is the Horizontal Pod Autoscaler's; the targets, the interval, the time to boot and the store's
// bandwidth (a 40G link) are assumed.
struct AutoscalingSpec {
  ScalePolicy policy = ScalePolicy::queue;
  std::optional<std::string> pool;      // absent: every pool
  std::int64_t min = 1;                 // replicas of each deployment
  std::optional<std::int64_t> initial;  // absent: min
  double target_queue = 32.0;           // requests of a replica, in line and in its batch
  double target_utilization = 0.7;      // share of time that a replica runs steps
  std::optional<Seconds> target_ttft;   // policy slo; absent: that of the SLO
  Seconds interval = seconds(30);       // between decisions
  Seconds cooldown = seconds(300);      // from one decision to shrink to the next
  Seconds boot = seconds(60);           // before the weights are loaded
  BytesPerSecond load_bandwidth = BytesPerSecond::from_base(5e9);  // of the store of weights
  ScaledDown scaled_down = ScaledDown::off;
};

// Replicas that change between computing prompts and decoding: see sim/role_balance.hpp.
struct RoleSwitchSpec {
  Seconds interval = seconds(10);  // between decisions
  Seconds cooldown = seconds(60);  // from one change to the next, of a model's replicas
  double ratio = 2.0;              // of the loads of the two roles, above which one is short
  Seconds min_load = seconds(1);   // of a replica, below which none is; all four assumed
};

void describe(input::Fields& f, ClientSpec& x);
void describe(input::Fields& f, OverloadSpec& x);
void describe(input::Fields& f, RouteSpec& x);
void describe(input::Fields& f, FailureSpec& x);
void describe(input::Fields& f, FaultEvent& x);
void describe(input::Fields& f, MaintenanceSpec& x);
void describe(input::Fields& f, FaultsSpec& x);
void describe(input::Fields& f, AutoscalingSpec& x);
void describe(input::Fields& f, RoleSwitchSpec& x);

}  // namespace tokenyard::scenario
