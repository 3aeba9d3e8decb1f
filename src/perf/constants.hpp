#pragma once
// Numbers of the performance model that no catalog entry holds, with what each rests on.
#include <string>
#include <vector>

namespace tokenyard::perf {

// Kernels of one layer in today's engines (norms, projections, rotary embedding, KV write,
// attention, activation, routing ...): 9 to 12 in a dense layer.
inline constexpr double kGqaKernels = 6.0;
inline constexpr double kMlaKernels = 9.0;
inline constexpr double kFfnKernels = 4.0;
inline constexpr double kMoeKernels = 7.0;
inline constexpr double kHeadKernels = 4.0;

// Share of a 400G port that large messages reach: 43 to 58 of 50 GB/s measured with DeepEP.
inline constexpr double kNicEfficiency = 0.85;

struct ModelConstant {
  std::string name;
  std::string value;
  std::string confidence;
  std::string source;
};

// The list that is stored with every run.
std::vector<ModelConstant> model_constants();

}  // namespace tokenyard::perf
