#pragma once
// Recorded sessions of coding agents beside the simulated prefix cache.
//
// The whole file is simulated, closed loop inside each session, with a KV cache that never evicts
// (serving.kv_cache.capacity: unlimited) and a model that takes prompts of any length.  How fast
// the machine is then does not matter: what a request finds cached follows from the session alone,
// by the rule of workload/request.hpp, and that rule is what is compared here, request by request,
// with the recording's prefix_hit_tokens.
//
//   hit rate    = sum of hits / sum of prompt tokens, of the requests of a row
//   difference  = simulated - recorded hit rate
//   answers     = the part of the simulated rate that lies beyond the session's previous prompt
//   unexplained = difference - answers
//   same block  = share of requests where, answers left aside, both hits are equal to the block
//
// Worked example, blocks of 64: a prompt of 1,000 tokens is answered with 200 and the next one has
// 1,300.  Stored are 1,199 tokens, 18 blocks: 1,152 simulated hits.  A recording that knows prompts
// only has 15 blocks: 960 hits.  Difference (1,152 - 960) / 1,300 = 14.8 %, all of it answers.
//
// What the recording counts.  Its hits are the blocks of 64 tokens at the front of a prompt whose
// content its session has sent before; they are told from the prompts and not read off a provider's
// cache, and nothing expires in them: more than half of the requests after a gap of an hour and
// more still have all of the previous prompt.  An answer is a hit only when it has come back in a
// prompt; serving engines keep the blocks of an answer as well.  First requests never hit: neither
// the recording nor the simulation shares tool definitions and system prompts between sessions or
// agents.
//
// What the simulation cannot know.  A prompt that grew is taken to repeat all of the one before it;
// recorded prompts are at times rewritten near their front, the more often the longer the gap
// before them.  A prompt that shrank is taken to keep tool definitions and system prompt only; some
// keep more of their front, some less.  How soon a provider forgets is in neither.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/table.hpp"
#include "catalog/catalog.hpp"
#include "study/validation.hpp"

namespace tokenyard::study {

struct PrefixRequest {
  std::string session;
  std::string agent;       // "main", else a sub-agent
  std::int64_t round = 0;  // of this agent in its session, from 0
  double gap_s = 0.0;      // from the start of the agent's previous request; round 0: none
  std::int64_t input_tokens = 0;
  std::int64_t previous_input_tokens = 0;  // the prompt before this one
  std::int64_t recorded_hit_tokens = 0;
  std::int64_t simulated_hit_tokens = 0;
};

struct PrefixValidation {
  std::vector<PrefixRequest> requests;  // in the order of the file
  std::string broken;        // what the run said when it died; then there are no requests
  bool interrupted = false;  // then neither
};

// sessions: only the first so many of the file; it is one run, whatever the number of jobs.  Throws
// InputError with everything that is wrong with the file, and for a catalog without the model or
// the node that stand in.
PrefixValidation validate_prefixes(const std::string& path, catalog::Catalog& catalog,
                                   const ValidationOptions& options,
                                   std::optional<std::int64_t> sessions = std::nullopt);

// All requests, then those by round, agent, gap and kind of prompt: for people.
Table prefix_table(const PrefixValidation& validation);
// A row a request: for programs.
Table prefix_points(const PrefixValidation& validation);

}  // namespace tokenyard::study
