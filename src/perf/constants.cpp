#include "perf/constants.hpp"

#include "base/quantity_text.hpp"

namespace tokenyard::perf {

std::vector<ModelConstant> model_constants() {
  const std::string counted =
      "counted in engine traces: 4 products, 2 of attention, 3 to 6 element-wise";
  return {
      {"kernels of an attention block, GQA", three_digits(kGqaKernels), "assumed", counted},
      {"kernels of an attention block, MLA", three_digits(kMlaKernels), "assumed", counted},
      {"kernels of a dense FFN", three_digits(kFfnKernels), "assumed", counted},
      {"kernels of an expert layer", three_digits(kMoeKernels), "assumed",
       "vLLM's fused_moe: router, top-k, two to sort tokens by expert, two products, activation, "
       "sum"},
      {"kernels that convert activations of a block", three_digits(kQuantizeKernels), "assumed",
       "one before each of its two products"},
      {"moves of an expert's activations, by hidden size and by expert width",
       three_digits(kExpertHiddenMoves) + ", " + three_digits(kExpertWidthMoves), "analysis",
       "vLLM's fused_moe: caches of 2 and 1 expert widths, each written and read; the hidden state "
       "read, "
       "written, and read to sum over experts"},
      {"moves of the logits in a sampler", three_digits(kLogitMoves), "assumed",
       "conversion to fp32, penalties, softmax, top-k, choice"},
      {"kernels of the LM head and sampler", three_digits(kHeadKernels), "assumed", counted},
      {"NIC efficiency, large messages", three_digits(100.0 * kNicEfficiency) + " %", "estimate",
       "DeepEP: 43 to 58 GB/s of 50 GB/s RDMA measured"},
  };
}

}  // namespace tokenyard::perf
