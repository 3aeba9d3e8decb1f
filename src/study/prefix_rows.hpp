#pragma once
// The rows of a file of recorded sessions as requests of their agents.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "study/measured_csv.hpp"
#include "study/prefix_validation.hpp"

namespace tokenyard::study {

// Recorded hits are whole blocks of so many tokens, as in every row of the Claude sessions.
inline constexpr std::int64_t kRecordedBlockTokens = 64;

// What the simulation calls the session of an agent: sub-agents have their own, "session/agent".
std::string simulated_session(const PrefixRequest& request);

// In the order of the file, up to the end of the first `sessions`; simulated hits are left at 0.
// Throws InputError with everything that is wrong with the fields.
std::vector<PrefixRequest> recorded_requests(const MeasuredCsv& csv,
                                             std::optional<std::int64_t> sessions);

}  // namespace tokenyard::study
