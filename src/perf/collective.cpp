#include "perf/collective.hpp"

#include <algorithm>
#include <cmath>

#include "perf/constants.hpp"

namespace tokenyard::perf {
namespace {

// Reduce-scatter, then all-gather: two-shot with a switch, else the ring.
CollectiveTime scatter_and_gather(const LinkModel& link, double bytes, std::int64_t ranks) {
  if (ranks <= 1 || bytes <= 0.0) return {};
  const double t = static_cast<double>(ranks);
  const double sent = 2.0 * (t - 1.0) / t * bytes;
  const double hops = link.switched ? 2.0 : 2.0 * (t - 1.0);
  return {link.base_s + hops * link.hop_s, sent / link.bytes_per_s, sent};
}

CollectiveTime all_reduce_on(const LinkModel& link, double bytes, std::int64_t ranks) {
  const CollectiveTime two_shot = scatter_and_gather(link, bytes, ranks);
  if (ranks <= 1 || bytes <= 0.0 || !link.switched) return two_shot;
  const double flooded = static_cast<double>(ranks - 1) * bytes;
  const CollectiveTime one_shot{link.base_s + link.hop_s, flooded / link.bytes_per_s, flooded};
  return one_shot.total_s() < two_shot.total_s() ? one_shot : two_shot;
}

CollectiveTime all_gather_on(const LinkModel& link, double bytes, std::int64_t ranks) {
  if (ranks <= 1 || bytes <= 0.0) return {};
  const double t = static_cast<double>(ranks);
  const double sent = (t - 1.0) / t * bytes;
  const double hops = link.switched ? 1.0 : t - 1.0;
  return {link.base_s + hops * link.hop_s, sent / link.bytes_per_s, sent};
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
    : between_(nic_share(pool.node, fabric)), devices_per_node_(pool.node.device_count()) {
  const catalog::Device& device = pool.devices[deployment.device];
  const catalog::Link* link = device.find_link(pool.node.link);
  if (link != nullptr) {
    inside_.bytes_per_s = link->bandwidth.value.base() * link->efficiency.value;
    inside_.hop_s = link->latency.value.base();
    inside_.base_s = link->collective_latency.value.base();
    inside_.switched = pool.node.topology == catalog::NodeTopology::all_to_all_switch;
  }
  between_.base_s = inside_.base_s;
}

CollectiveTime Collectives::all_reduce(double bytes, std::int64_t ranks) const {
  if (ranks <= devices_per_node_) return all_reduce_on(inside_, bytes, ranks);
  const std::int64_t nodes = (ranks + devices_per_node_ - 1) / devices_per_node_;
  const CollectiveTime local = scatter_and_gather(inside_, bytes, devices_per_node_);
  // After the local reduce-scatter each device exchanges its own share with its peers.
  const CollectiveTime remote =
      all_reduce_on(between_, bytes / static_cast<double>(devices_per_node_), nodes);
  return together(local, remote);
}

CollectiveTime Collectives::all_gather(double bytes, std::int64_t ranks) const {
  if (ranks <= devices_per_node_) return all_gather_on(inside_, bytes, ranks);
  const std::int64_t nodes = (ranks + devices_per_node_ - 1) / devices_per_node_;
  return together(all_gather_on(inside_, bytes, devices_per_node_),
                  all_gather_on(between_, bytes / static_cast<double>(devices_per_node_), nodes));
}

CollectiveTime Collectives::all_to_all(double bytes_out, std::int64_t ranks) const {
  if (ranks <= 1 || bytes_out <= 0.0) return {};
  const double t = static_cast<double>(ranks);
  if (ranks <= devices_per_node_) {
    return {inside_.base_s + (t - 1.0) * inside_.hop_s, bytes_out / inside_.bytes_per_s, bytes_out};
  }
  // Peers are equally likely: the share outside the node leaves over the NIC, at the same time as
  // the rest over the inner link; the slower one counts.
  const double local_peers = static_cast<double>(devices_per_node_ - 1);
  const double local_share = local_peers / (t - 1.0);
  const double remote_s = bytes_out * (1.0 - local_share) / between_.bytes_per_s;
  const double local_s = local_share > 0.0 ? bytes_out * local_share / inside_.bytes_per_s : 0.0;
  const double nodes = std::ceil(t / static_cast<double>(devices_per_node_));
  const double latency =
      inside_.base_s + local_peers * inside_.hop_s + (nodes - 1.0) * between_.hop_s;
  return {latency, std::max(remote_s, local_s), bytes_out};
}

CollectiveTime Collectives::point_to_point(double bytes, bool between_nodes) const {
  const LinkModel& link = between_nodes ? between_ : inside_;
  if (link.bytes_per_s <= 0.0) return {};
  return {link.base_s + link.hop_s, bytes / link.bytes_per_s, bytes};
}

}  // namespace tokenyard::perf
