#include "perf/collective.hpp"

#include <algorithm>
#include <cmath>

#include "perf/constants.hpp"

namespace tokenyard::perf {
namespace {

using catalog::NodeTopology;

bool on_grid(NodeTopology topology) {
  return topology == NodeTopology::mesh2d || topology == NodeTopology::torus;
}

// Reduce-scatter, then all-gather: two-shot where all ranks are a hop away, else around rings.
CollectiveTime scatter_and_gather(const GroupLink& link, double bytes, std::int64_t ranks) {
  if (ranks <= 1 || bytes <= 0.0) return {};
  const double t = static_cast<double>(ranks);
  const double sent = 2.0 * (t - 1.0) / t * bytes;
  return {link.base_s + 2.0 * link.hops * link.hop_s, sent / link.bytes_per_s, sent};
}

CollectiveTime all_reduce_on(const GroupLink& link, double bytes, std::int64_t ranks) {
  const CollectiveTime two_shot = scatter_and_gather(link, bytes, ranks);
  if (ranks <= 1 || bytes <= 0.0 || !link.direct) return two_shot;
  const double flooded = static_cast<double>(ranks - 1) * bytes;
  const CollectiveTime one_shot{link.base_s + link.hop_s, flooded / link.bytes_per_s, flooded};
  return one_shot.total_s() < two_shot.total_s() ? one_shot : two_shot;
}

CollectiveTime all_gather_on(const GroupLink& link, double bytes, std::int64_t ranks) {
  if (ranks <= 1 || bytes <= 0.0) return {};
  const double t = static_cast<double>(ranks);
  const double sent = (t - 1.0) / t * bytes;
  return {link.base_s + link.hops * link.hop_s, sent / link.bytes_per_s, sent};
}

// Any two ranks at the link's full bandwidth.
GroupLink switched(const LinkModel& link) {
  return {.bytes_per_s = link.bytes_per_s,
          .exchanged_bytes_per_s = link.bytes_per_s,
          .hops = 1.0,
          .hop_s = link.hop_s,
          .base_s = link.base_s,
          .direct = true};
}

CollectiveTime together(const CollectiveTime& a, const CollectiveTime& b) {
  return {a.latency_s + b.latency_s, a.bytes_s + b.bytes_s, a.bytes_sent + b.bytes_sent};
}

// Share of the node's NIC bandwidth that falls to one device.
LinkModel nic_share(const catalog::NodeSpec& node, const catalog::FabricSpec& fabric) {
  LinkModel link;
  double total = 0.0;
  double latency = 0.0;
  for (const catalog::Nic& nic : node.nics) {
    total += nic.bandwidth.value.base() * static_cast<double>(nic.count);
    latency = std::max(latency, nic.latency.value.base());
  }
  link.bytes_per_s =
      kNicEfficiency * total / static_cast<double>(std::max<std::int64_t>(1, node.device_count()));
  link.hop_s = latency + 2.0 * fabric.switches.latency.value.base();
  link.switched = true;
  return link;
}

}  // namespace

Collectives::Collectives(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& deployment,
                         const catalog::FabricSpec& fabric)
    : between_(nic_share(pool.node, fabric)),
      devices_per_node_(pool.node.device_count()),
      topology_(pool.node.topology),
      sides_(pool.node.sides()) {
  const catalog::Device& device = pool.devices[deployment.device];
  const catalog::Link* link = device.find_link(pool.node.link);
  if (link != nullptr) {
    inside_.bytes_per_s = link->bandwidth.value.base() * link->efficiency.value;
    inside_.hop_s = link->latency.value.base();
    inside_.base_s = link->collective_latency.value.base();
    inside_.switched = topology_ == NodeTopology::all_to_all_switch;
    const bool shared = on_grid(topology_) || topology_ == NodeTopology::all_to_all_mesh;
    const double ports = shared ? static_cast<double>(pool.node.ports_of(*link)) : 1.0;
    port_bytes_per_s_ = inside_.bytes_per_s / ports;
  }
  between_.base_s = inside_.base_s;
}

GroupLink Collectives::group_inside(std::int64_t ranks) const {
  if (on_grid(topology_)) return group_on_grid(ranks);
  GroupLink link = switched(inside_);
  if (inside_.switched) return link;
  const double others = static_cast<double>(ranks - 1);
  if (topology_ == NodeTopology::all_to_all_mesh) {
    link.bytes_per_s = link.exchanged_bytes_per_s = others * port_bytes_per_s_;
    return link;
  }
  link.hops = others;
  link.direct = false;
  // Round a ring of t a byte crosses t^2 / 4 / (t - 1) links on average.
  if (topology_ == NodeTopology::ring && ranks > 1) {
    const auto t = static_cast<double>(ranks);
    link.exchanged_bytes_per_s *= std::min(1.0, 4.0 * others / (t * t));
  }
  return link;
}

GroupLink Collectives::group_on_grid(std::int64_t ranks) const {
  GroupLink link{.hops = 0.0, .hop_s = inside_.hop_s, .base_s = inside_.base_s, .direct = false};
  double crossing = 0.0;  // of the cut that takes longest: seconds per byte and row
  std::int64_t rows = ranks;
  for (auto side = sides_.rbegin(); side != sides_.rend() && rows > 1; ++side) {
    const std::int64_t length = std::min(rows, *side);
    rows = (rows + length - 1) / length;
    const bool wraps = topology_ == NodeTopology::torus && length == *side;
    const double bytes_per_s = (wraps ? 2.0 : 1.0) * port_bytes_per_s_;
    if (length == 1) continue;
    link.bytes_per_s += bytes_per_s;
    link.hops += static_cast<double>(wraps ? length / 2 : length - 1);
    crossing = std::max(crossing, static_cast<double>(length * length / 4) /
                                      static_cast<double>(length) / bytes_per_s);
  }
  const double t = static_cast<double>(ranks);
  if (crossing > 0.0) link.exchanged_bytes_per_s = (t - 1.0) / t / crossing;
  return link;
}

CollectiveTime Collectives::all_reduce(double bytes, std::int64_t ranks) const {
  if (ranks <= devices_per_node_) return all_reduce_on(group_inside(ranks), bytes, ranks);
  const std::int64_t nodes = (ranks + devices_per_node_ - 1) / devices_per_node_;
  const CollectiveTime local =
      scatter_and_gather(group_inside(devices_per_node_), bytes, devices_per_node_);
  // After the local reduce-scatter each device exchanges its own share with its peers.
  const CollectiveTime remote =
      all_reduce_on(switched(between_), bytes / static_cast<double>(devices_per_node_), nodes);
  return together(local, remote);
}

CollectiveTime Collectives::all_gather(double bytes, std::int64_t ranks) const {
  if (ranks <= devices_per_node_) return all_gather_on(group_inside(ranks), bytes, ranks);
  const std::int64_t nodes = (ranks + devices_per_node_ - 1) / devices_per_node_;
  return together(
      all_gather_on(group_inside(devices_per_node_), bytes, devices_per_node_),
      all_gather_on(switched(between_), bytes / static_cast<double>(devices_per_node_), nodes));
}

CollectiveTime Collectives::all_to_all(double bytes_out, std::int64_t ranks) const {
  if (ranks <= 1 || bytes_out <= 0.0) return {};
  const double t = static_cast<double>(ranks);
  const GroupLink inner = group_inside(std::min(ranks, devices_per_node_));
  if (ranks <= devices_per_node_) {
    return {inside_.base_s + inner.hops * inside_.hop_s, bytes_out / inner.exchanged_bytes_per_s,
            bytes_out};
  }
  // Peers are equally likely: the share outside the node leaves over the NIC, at the same time as
  // the rest over the inner link; the slower one counts.
  const double local_peers = static_cast<double>(devices_per_node_ - 1);
  const double local_share = local_peers / (t - 1.0);
  const double remote_s = bytes_out * (1.0 - local_share) / between_.bytes_per_s;
  const double local_s =
      local_share > 0.0 ? bytes_out * local_share / inner.exchanged_bytes_per_s : 0.0;
  const double local_hops_s = local_peers > 0.0 ? inner.hops * inside_.hop_s : 0.0;
  const double latency = inside_.base_s + local_hops_s + between_.hop_s;
  return {latency, std::max(remote_s, local_s), bytes_out};
}

CollectiveTime Collectives::point_to_point(double bytes, bool between_nodes) const {
  const LinkModel& link = between_nodes ? between_ : inside_;
  const double bytes_per_s = between_nodes ? between_.bytes_per_s : port_bytes_per_s_;
  if (bytes_per_s <= 0.0) return {};
  return {link.base_s + link.hop_s, bytes / bytes_per_s, bytes};
}

}  // namespace tokenyard::perf
