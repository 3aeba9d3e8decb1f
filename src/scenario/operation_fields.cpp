#include "scenario/operation_spec.hpp"

namespace tokenyard::scenario {

void describe(input::Fields& f, ClientSpec& x) {
  f.optional("timeout", x.timeout, "after which a client gives up; null: never").more_than(0.0);
  f.optional("waits_for", x.waits_for, "what it wants by then: first-token or answer");
  f.optional("retries", x.retries, "how often it asks again").at_least(0).at_most(100);
  f.optional("backoff", x.backoff, "before it asks again; twice as long each further time")
      .at_least(0.0);
  if (f.is_reading() && !x.timeout && f.has("retries"))
    f.problem("retries", "has no effect without a 'timeout'");
}

void describe(input::Fields& f, OverloadSpec& x) {
  f.optional("policy", x.policy,
             "what becomes of a request whose first token would come too late: accept, reject, or "
             "defer (it goes behind those that can be in time)");
  f.optional("ttft", x.ttft, "what is too late; default: the SLO's limit").more_than(0.0);
}

void describe(input::Fields& f, RouteSpec& x) {
  f.required("pool", x.pool, "where requests of this kind go");
  f.optional("class", x.request_class, "of this class only");
  f.optional("max_input_tokens", x.max_input_tokens, "with prompts no longer than this")
      .at_least(1);
  f.optional("max_output_tokens", x.max_output_tokens, "with answers no longer than this")
      .at_least(1);
  f.optional("spill", x.spill, "where that pool cannot take a request, any other may");
}

void describe(input::Fields& f, FailureSpec& x) {
  f.optional("per_year", x.per_year, "failures of one in a year; default: the catalog's")
      .at_least(0.0);
  f.optional("repair", x.repair, "until it works again").more_than(0.0);
}

void describe(input::Fields& f, FaultEvent& x) {
  f.required("at", x.at, "when it fails").at_least(0.0);
  f.required("pool", x.pool, "in which pool");
  f.optional("node", x.node, "which of its nodes, from 0").at_least(0);
  f.optional("duration", x.duration, "until it works again").more_than(0.0);
}

void describe(input::Fields& f, MaintenanceSpec& x) {
  f.required("pool", x.pool, "whose nodes are taken out in turn");
  f.required("start", x.start, "when the first ones are drained").at_least(0.0);
  f.optional("duration", x.duration, "how long each is away").more_than(0.0);
  f.optional("nodes", x.nodes, "how many at a time").at_least(1);
}

void describe(input::Fields& f, FaultsSpec& x) {
  f.optional("enabled", x.enabled, "whether anything fails");
  f.optional("rate_scale", x.rate_scale, "multiplies all rates").at_least(0.0);
  f.optional("device", x.device, "failures of devices");
  f.optional("node", x.node, "failures of whole nodes");
  f.optional("link", x.link, "failures of cables between nodes and switches");
  f.optional("switch", x.network_switch, "failures of switches");
  f.optional("detection", x.detection, "until requests of a failed replica are sent elsewhere")
      .at_least(0.0);
  f.optional("events", x.events, "failures at stated times");
  f.optional("maintenance", x.maintenance, "nodes that are drained and taken out in turn");
}

void describe(input::Fields& f, AutoscalingSpec& x) {
  f.optional("policy", x.policy,
             "what is kept at its target: queue (requests of a replica, in line and in its batch), "
             "utilization "
             "(share of time that it runs steps) or slo (time to first token)");
  f.optional("pool", x.pool, "the pool that grows and shrinks; default: every pool");
  f.optional("min", x.min, "replicas of each deployment that always run").at_least(1);
  f.optional("initial", x.initial, "replicas that run at first; default: min").at_least(1);
  f.optional("target_queue", x.target_queue, "requests of a replica, in line and in its batch")
      .more_than(0.0);
  f.optional("target_utilization", x.target_utilization, "share of time that a replica runs steps")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("target_ttft", x.target_ttft, "time to first token; default: the SLO's limit")
      .more_than(0.0);
  f.optional("interval", x.interval, "between decisions").more_than(0.0);
  f.optional("cooldown", x.cooldown, "from one decision to shrink to the next").at_least(0.0);
  f.optional("boot", x.boot, "before the weights are loaded").at_least(0.0);
  f.optional("load_bandwidth", x.load_bandwidth,
             "of the store that weights come from, over the node's NICs")
      .more_than(0.0);
  f.optional("scaled_down", x.scaled_down,
             "what replicas do that are not needed: off (no power) or idle");
}

void describe(input::Fields& f, RoleSwitchSpec& x) {
  f.optional("interval", x.interval, "between decisions").more_than(0.0);
  f.optional("cooldown", x.cooldown, "from one change to the next, of a model's replicas")
      .at_least(0.0);
  f.optional("ratio", x.ratio,
             "a role is short of replicas when each has more than this many times the work of one "
             "of the other role")
      .at_least(1.0);
  f.optional("min_load", x.min_load, "and more than so much work").at_least(0.0);
}

}  // namespace tokenyard::scenario
