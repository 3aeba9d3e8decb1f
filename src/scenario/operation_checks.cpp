#include "scenario/operation_checks.hpp"

#include <algorithm>

#include "scenario/place_of.hpp"

namespace tokenyard::scenario {
namespace {

class Checks {
 public:
  Checks(Plan& plan, const input::Node& root, Diagnostics& diagnostics)
      : plan_(plan), root_(root), diagnostics_(diagnostics) {
    for (const PoolPlan& pool : plan.pools) names_.push_back(pool.name);
  }

  void routes() {
    const std::vector<RouteSpec>& routes = plan_.scenario.serving.routes;
    for (std::size_t i = 0; i < routes.size(); ++i) pool(routes[i].pool, item("serving.routes", i));
  }

  void faults() {
    const FaultsSpec& spec = plan_.scenario.faults;
    for (std::size_t i = 0; i < spec.events.size(); ++i) {
      const std::string path = item("faults.events", i);
      const PoolPlan* found = pool(spec.events[i].pool, path);
      if (found == nullptr || spec.events[i].node < found->count) continue;
      add(path + ".node", "'" + std::to_string(spec.events[i].node) + "' is out of range; pool '" +
                              found->name + "' has the nodes 0 to " +
                              std::to_string(found->count - 1));
    }
    for (std::size_t i = 0; i < spec.maintenance.size(); ++i)
      pool(spec.maintenance[i].pool, item("faults.maintenance", i));
    const bool described = !spec.events.empty() || !spec.maintenance.empty();
    if (!spec.enabled && described)
      add("faults", "nothing fails and nothing is maintained without 'enabled: true'");
  }

  void autoscaling() {
    auto& spec = plan_.scenario.autoscaling;
    if (!spec) return;
    if (spec->pool) pool(*spec->pool, "autoscaling");
    if (spec->policy != ScalePolicy::slo || spec->target_ttft) return;
    spec->target_ttft = ttft_of_slo();
    if (!spec->target_ttft)
      add("autoscaling.policy", "'slo' needs a 'target_ttft', or an 'slo' with a limit on ttft");
  }

  void serving() {
    ServingSpec& serving = plan_.scenario.serving;
    if (serving.overload.policy != Overload::accept && !serving.overload.ttft) {
      serving.overload.ttft = ttft_of_slo();
      if (!serving.overload.ttft)
        add("serving.overload", "what is too late? Give it a 'ttft', or the SLO a limit on ttft");
    }
    const bool fixed = serving.scheduler.policy == BatchPolicy::static_batch;
    if (!serving.kv_cache.offload.empty() && (fixed || has_static_schedule()))
      add("serving.kv_cache.offload",
          "static batches are not joined by what comes back: expected []");
    if (fixed && serving.scheduler.preemption == Preemption::swap)
      add("serving.scheduler.preemption",
          "static batches are not joined by what comes back: expected recompute");
    if (serving.router_load_cap && serving.router != RouterKind::prefix_affinity &&
        serving.router != RouterKind::session_sticky)
      add("serving.router_load_cap",
          "has no effect without 'router: prefix-affinity' or 'session-sticky'");
  }

 private:
  [[nodiscard]] bool has_static_schedule() const {
    for (const PoolPlan& p : plan_.pools) {
      for (const DeploymentPlan& d : p.deployments) {
        if (p.devices[d.device].static_schedule) return true;
      }
    }
    return false;
  }
  static std::string item(const std::string& list, std::size_t i) {
    return list + '[' + std::to_string(i) + ']';
  }
  void add(const std::string& path, const std::string& text) {
    diagnostics_.add(place_of(root_, path), path, text);
  }
  const PoolPlan* pool(const std::string& name, const std::string& path) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end())
      return &plan_.pools[static_cast<std::size_t>(found - names_.begin())];
    add(path + ".pool", "there is no pool '" + name + "'" + suggestion(name, names_));
    return nullptr;
  }
  // The limit of the highest statistic on the time to first token.
  [[nodiscard]] std::optional<Seconds> ttft_of_slo() const {
    for (const char* name : {"ttft_p99", "ttft_p95", "ttft_p90", "ttft_p50", "ttft_mean"}) {
      const auto found = plan_.scenario.slo.find(name);
      if (found != plan_.scenario.slo.end()) return found->second;
    }
    return std::nullopt;
  }

  Plan& plan_;
  const input::Node& root_;
  Diagnostics& diagnostics_;
  std::vector<std::string> names_;
};

}  // namespace

void check_operation(Plan& plan, const input::Node& root, Diagnostics& diagnostics) {
  Checks checks(plan, root, diagnostics);
  checks.routes();
  checks.faults();
  checks.autoscaling();
  checks.serving();
}

}  // namespace tokenyard::scenario
