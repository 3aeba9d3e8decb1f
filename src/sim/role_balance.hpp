#pragma once
// Which role a replica should change to, decided at fixed intervals from the loads of the two.
//
//   prompts    tokens to compute * time of a token in a full step of prompts       per replica
//   decoding   sequences that decode, come or wait * time of a step of so many  per replica
//
// A role is short of replicas when its load is more than `min_load` and more than `ratio` times that of
// the other one.  At least one replica keeps each role, and after a change nothing changes for the
// cooldown.
//
// Worked example: two replicas compute prompts, 40,000 tokens to go at 0.1 ms a token: 2 s each.  Three
// decode, 30 sequences each at 20 ms a step: 0.6 s each.  2 s > 1 s and 2 s > 2 * 0.6 s: one that decodes
// is to compute prompts.
//
// Leaves out what the change will bring, and loads to come: it follows what is there.
// Sources: Zhong et al., "DistServe", OSDI 2024 (pools in proportion); Hu et al., "Inference without
// interference", 2024, and NVIDIA Dynamo's planner (replicas that change roles).
#include <cstdint>

#include "scenario/operation_spec.hpp"

namespace tokenyard::sim {

struct RoleLoad {
  std::int64_t replicas = 0;  // that have the role now
  double seconds = 0.0;       // of work, all of them together
  [[nodiscard]] double each_s() const {
    return replicas > 0 ? seconds / static_cast<double>(replicas) : 0.0;
  }
};

enum class RoleChange { none, to_prefill, to_decode };

inline RoleChange wanted_change(const scenario::RoleSwitchSpec& spec, const RoleLoad& prefill,
                                const RoleLoad& decode) {
  const auto is_short = [&](const RoleLoad& role, const RoleLoad& other) {
    return other.replicas > 1 && role.each_s() > spec.min_load.base() &&
           role.each_s() > spec.ratio * other.each_s();
  };
  if (is_short(prefill, decode)) return RoleChange::to_prefill;
  if (is_short(decode, prefill)) return RoleChange::to_decode;
  return RoleChange::none;
}

}  // namespace tokenyard::sim
