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
inline constexpr double kMoeKernels = 8.0;
inline constexpr double kHeadKernels = 4.0;
// Where products are computed in another format than activations have, a block of attention, FFN or
// experts converts its two inputs first, each in a kernel of its own.
inline constexpr double kQuantizeKernels = 2.0;

// Activations per token and hidden unit that the element-wise kernels of a fused stack move; where an
// engine moves more or fewer (activation_traffic), what follows scales with it.
inline constexpr double kFusedTraffic = 12.0;
// Activations moved by routed experts, of one token at one of its experts: gathering and scattering
// move it in and out three times over; the first product writes two widths, the gated activation
// reads them and writes one, the second product reads it: six times the expert's width.
inline constexpr double kExpertHiddenMoves = 3.0;
inline constexpr double kExpertWidthMoves = 6.0;
// Times that a sampler reads or writes the logits, 4 bytes each: conversion, penalties, softmax,
// choice.
inline constexpr double kLogitMoves = 8.0;
inline constexpr double kLogitBytes = 4.0;

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
