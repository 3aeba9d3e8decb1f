#pragma once
// Requests made at random; the same seed gives the same requests.
#include <cstdint>
#include <memory>

#include "workload/workload.hpp"

namespace tokenyard::workload {

// Requests that know nothing of each other.  poisson: exponential gaps of mean 1/rate.  gamma: gaps
// of mean 1/rate and coefficient of variation cv, that is shape 1/cv^2 and scale cv^2/rate; cv 1 is
// poisson, above 1 comes in bursts.  Worked example: rate 2 /s and cv 3 give gaps of mean 0.5 s and
// deviation 1.5 s.  fixed-concurrency: all at time 0, and concurrency() says how many are in
// flight.
std::unique_ptr<RequestStream> make_independent(const GeneratorSpec& spec, std::uint64_t seed,
                                                double rate_scale);

// Agent sessions that start as a Poisson process of `rate`; see AgentSpec.
std::unique_ptr<RequestStream> make_agents(const GeneratorSpec& spec, std::uint64_t seed,
                                           double rate_scale);

}  // namespace tokenyard::workload
