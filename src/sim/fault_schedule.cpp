#include "sim/fault_schedule.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "topology/cut_off.hpp"

namespace tokenyard::sim {
namespace {

constexpr double kNeverS = std::numeric_limits<double>::infinity();

// First node of a pool in the fleet, and how many it has.
struct Nodes {
  std::int64_t first = 0, count = 0;
};

Nodes nodes_of(const scenario::Plan& plan, const std::string& pool) {
  Nodes nodes;
  for (const scenario::PoolPlan& p : plan.pools) {
    nodes.count = p.count;
    if (p.name == pool) return nodes;
    nodes.first += p.count;
  }
  check(false, "no pool of this name");
  return nodes;
}

}  // namespace

FaultSchedule::FaultSchedule(const scenario::Plan& plan, std::vector<Standing> standings,
                             const topology::FleetGraph* fleet)
    : spec_(&plan.scenario.faults),
      standings_(std::move(standings)),
      fleet_(fleet),
      random_(static_cast<std::uint64_t>(plan.scenario.seed), "faults"),
      drawn_s_(kNeverS) {
  for (std::size_t s = 0; s < standings_.size(); ++s) {
    const Standing& standing = standings_[s];
    if (standing.beside) continue;
    const double of_one = spec_->device.per_year.value_or(standing.failures_per_year);
    add(Kind::device, s, of_one * static_cast<double>(standing.devices));
  }
  std::size_t node = 0;
  for (const scenario::PoolPlan& pool : plan.pools) {
    const double of_one = spec_->node.per_year.value_or(pool.node.annual_failure_rate.value);
    for (std::int64_t i = 0; i < pool.count; ++i) add(Kind::node, node++, of_one);
  }
  if (fleet_ != nullptr) {
    const topology::Graph& graph = fleet_->graph();
    const double of_cable =
        spec_->link.per_year.value_or(plan.fabric.cable.annual_failure_rate.value);
    const double of_switch =
        spec_->network_switch.per_year.value_or(plan.fabric.switches.annual_failure_rate.value);
    for (std::size_t e = 0; e < graph.edges().size(); ++e) {
      if (graph.edges()[e].cables == 1) add(Kind::link, e, of_cable);
    }
    for (std::size_t v = 0; v < graph.vertices().size(); ++v) {
      if (graph.vertices()[v].kind == topology::VertexKind::network_switch)
        add(Kind::network_switch, v, of_switch);
    }
  }
  if (!components_.empty())
    drawn_s_ = random_.exponential(1.0 / components_.back().rates_sum_per_s);
  add_stated(plan);
}

void FaultSchedule::add(Kind kind, std::size_t number, double per_year) {
  const double per_s = per_year * spec_->rate_scale / kSecondsPerYear;
  if (per_s <= 0.0) return;
  const double before = components_.empty() ? 0.0 : components_.back().rates_sum_per_s;
  components_.push_back({kind, number, before + per_s});
}

void FaultSchedule::add_stated(const scenario::Plan& plan) {
  for (const scenario::FaultEvent& event : spec_->events) {
    const std::int64_t node = nodes_of(plan, event.pool).first + event.node;
    stated_.push_back({.at_s = event.at.base(),
                       .duration_s = event.duration.base(),
                       .replicas = replicas_on({node}),
                       .nodes = {node}});
  }
  for (const scenario::MaintenanceSpec& turn : spec_->maintenance) {
    const Nodes nodes = nodes_of(plan, turn.pool);
    double at_s = turn.start.base();
    for (std::int64_t first = 0; first < nodes.count; first += turn.nodes) {
      std::vector<std::int64_t> together(
          static_cast<std::size_t>(std::min(turn.nodes, nodes.count - first)));
      std::iota(together.begin(), together.end(), nodes.first + first);
      stated_.push_back({.at_s = at_s,
                         .duration_s = turn.duration.base(),
                         .drains = true,
                         .replicas = replicas_on(together),
                         .nodes = {}});
      at_s += turn.duration.base();
    }
  }
  std::stable_sort(stated_.begin(), stated_.end(),
                   [](const Fault& a, const Fault& b) { return a.at_s > b.at_s; });
}

std::optional<Fault> FaultSchedule::next() {
  if (!stated_.empty() && stated_.back().at_s <= drawn_s_) {
    Fault fault = std::move(stated_.back());
    stated_.pop_back();
    return fault;
  }
  if (drawn_s_ == kNeverS) return std::nullopt;
  const double sum = components_.back().rates_sum_per_s;
  const double pick = random_.uniform() * sum;
  const auto component = std::find_if(components_.begin(), components_.end() - 1,
                                      [&](const Component& c) { return pick < c.rates_sum_per_s; });
  Fault fault{.at_s = drawn_s_,
              .duration_s = spec_of(component->kind).repair.base(),
              .of_device = component->kind == Kind::device,
              .replicas = component->kind == Kind::device
                              ? std::vector<std::size_t>{component->number}
                              : replicas_on(cut_off(*component)),
              .nodes = {}};
  if (component->kind == Kind::node)
    fault.nodes.push_back(static_cast<std::int64_t>(component->number));
  drawn_s_ += random_.exponential(1.0 / sum);
  return fault;
}

const scenario::FailureSpec& FaultSchedule::spec_of(Kind kind) const {
  switch (kind) {
    case Kind::device:
      return spec_->device;
    case Kind::node:
      return spec_->node;
    case Kind::link:
      return spec_->link;
    case Kind::network_switch:
      return spec_->network_switch;
  }
  return spec_->device;
}

std::vector<std::size_t> FaultSchedule::replicas_on(const std::vector<std::int64_t>& nodes) const {
  std::vector<std::size_t> hit;
  for (std::size_t s = 0; s < standings_.size(); ++s) {
    const Place& place = standings_[s].place;
    const bool stands = std::any_of(nodes.begin(), nodes.end(), [&](std::int64_t node) {
      return node >= place.first_node && node < place.first_node + place.nodes;
    });
    if (stands) hit.push_back(s);
  }
  return hit;
}

// The nodes that are not in the largest part of what is left of the network.
std::vector<std::int64_t> FaultSchedule::cut_off(const Component& component) const {
  if (component.kind == Kind::node) return {static_cast<std::int64_t>(component.number)};
  topology::Failed failed;
  (component.kind == Kind::link ? failed.edge : failed.vertex) = component.number;
  return topology::cut_off(fleet_->graph(), failed);
}

}  // namespace tokenyard::sim
