#pragma once
// Requests made at random; the same seed gives the same requests.
#include <cstdint>
#include <memory>

#include "workload/workload.hpp"

namespace tokenyard::workload {

// Requests that know nothing of each other and arrive as arrivals.hpp says; fixed-concurrency: all at
// time 0, and concurrency() says how many are in flight.
std::unique_ptr<RequestStream> make_independent(const GeneratorSpec& spec, std::uint64_t seed,
                                                double rate_scale);

// Agent sessions, which arrive likewise; see AgentSpec and agent_chain.hpp.
std::unique_ptr<RequestStream> make_agents(const GeneratorSpec& spec, std::uint64_t seed,
                                           double rate_scale);

}  // namespace tokenyard::workload
