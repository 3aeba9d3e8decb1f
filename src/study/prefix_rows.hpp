#pragma once
// The rows of a file of recorded sessions as requests of their agents.
#include <cstdint>
#include <optional>
#include <vector>

#include "study/measured_csv.hpp"
#include "study/prefix_validation.hpp"

namespace tokenyard::study {

// Recorded hits are whole blocks of so many tokens, as in every row of the Claude sessions.
inline constexpr std::int64_t kRecordedBlockTokens = 64;

// In the order of the file, up to the end of the first `sessions`; simulated hits are left at 0.
// Throws InputError with everything that is wrong with the fields.
std::vector<PrefixRequest> recorded_requests(const MeasuredCsv& csv,
                                             std::optional<std::int64_t> sessions);

}  // namespace tokenyard::study
