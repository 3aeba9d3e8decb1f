#pragma once
// The parts of a request's time, for telling why it took so long.
#include <array>
#include <cstddef>
#include <string_view>

namespace tokenyard {

// Where the time of a request goes, from its arrival to its last token.
enum class Phase {
  front_end,       // router, HTTP, tokeniser, hand-over
  queue_capacity,  // waits: the next in line does not fit the KV cache or the batch
  queue_priority,  // waits: others that came later are served before it
  queue_arrival,   // waits: prompts that came before it are being computed, or a step is under way
  fetch,           // its KV cache comes from a tier below device memory
  prefill,         // its prompt is being computed
  transfer,        // its KV cache crosses from where its prompt was computed
  decode,          // from the first token on, where nothing below applies
  redo,            // after it lost its KV cache: waits, and computes again what it had
};
inline constexpr std::size_t kPhases = 9;
constexpr auto enum_names(Phase) {
  return std::array<std::string_view, kPhases>{"front_end",     "queue_capacity", "queue_priority",
                                               "queue_arrival", "fetch",          "prefill",
                                               "transfer",      "decode",         "redo"};
}
using PhaseSeconds = std::array<double, kPhases>;

}  // namespace tokenyard
