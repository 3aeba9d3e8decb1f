#pragma once
// Automatic parallelism: few devices that hold a model.
//
// Inside a node devices share each layer (tensor parallelism): the smallest number that divides the
// attention heads and holds the model.  When all of a node's devices are too few, as few stages of
// layers as it takes are added to the widest split (pipeline parallelism), over whole nodes when
// they pass the first.  Tiled machines may
// have more stages than layers: each holds an equal share of the weights, and a token's activations
// hop from one to the next.
//
// "Holds" means: the weights, the workspace and the KV cache of min_kv_tokens tokens.
//
// Worked example: Llama 3.1 8B at fp8 with 32,768 tokens of KV at fp8 (8.03 + 2.15 GB) on chips of
// 230 MB, eight to a node: 8 x 6 = 48 chips hold 11 GB.
#include <functional>
#include <string>

#include "scenario/plan.hpp"

namespace tokenyard::scenario {

// Why a deployment, its parallelism being given, does not fit its devices with `kv_tokens` tokens of
// KV cache; "" when it does.  The performance model knows; it stands above this room.
using Fits = std::function<std::string(const PoolPlan& pool, const DeploymentPlan& deployment,
                                       const ServingSpec& serving, std::int64_t kv_tokens)>;

// Whether the devices of a node reach each other.
bool connected(const PoolPlan& pool);

// The most devices that one replica may take of a pool.
std::int64_t most_devices(const PoolPlan& pool, std::int64_t free_devices);

// Sets tensor_parallel and pipeline_parallel of deployment.spec where they are kAuto.  Returns "",
// or why not even `most` devices hold the model.
std::string choose_parallelism(DeploymentPlan& deployment, const PoolPlan& pool,
                               const ServingSpec& serving, std::int64_t most, const Fits& fits);

}  // namespace tokenyard::scenario
