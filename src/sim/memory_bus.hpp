#pragma once
// The memory bus of the devices of a replica whose engines work apart: who is at work, and what a step
// that begins may have of it.
//
// A step keeps what it began with to its end.  When the other side begins, ends, or goes on to a step that
// asks for more or less, that counts from the next step boundary on; until then both together may be
// counted with more than the bus has.
//
// Worked example: a decode step of 8 ms is half way when a chunk begins that asks for a quarter.  It ends 4 ms
// later all the same; the next ones take 10.7 ms.
#include "perf/bus_share.hpp"

namespace tokenyard::sim {

class MemoryBus {
 public:
  // Prompts are computed by a step that asks for this share; 0: they rest.
  void set_prompts(double asked) { asked_ = asked; }
  void set_decoding(bool decodes) { decodes_ = decodes; }

  [[nodiscard]] double share_of_prompts() const {
    return decodes_ ? perf::bus_shares(asked_).prompts : 1.0;
  }
  [[nodiscard]] double share_of_decoding() const { return perf::bus_shares(asked_).decoding; }

 private:
  double asked_ = 0.0;
  bool decodes_ = false;
};

}  // namespace tokenyard::sim
