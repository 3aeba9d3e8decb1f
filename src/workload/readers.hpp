#pragma once
// One function per trace format.  `path` is the file as trace_path() found it.
//
// All stream; a malformed line is an InputError that names it, or is counted when the workload says
// skip_bad_lines.  An answer of 0 tokens is malformed in all formats but coding-agents, where it
// marks a call that was broken off.
#include <cstdint>
#include <memory>
#include <string>

#include "workload/workload.hpp"

namespace tokenyard::workload {

// JSON lines, see native_format.hpp.
std::unique_ptr<RequestStream> read_native_trace(const TraceSpec& spec, const std::string& path,
                                                 double rate_scale);

// Mooncake's release: {"timestamp": ms, "input_length", "output_length", "hash_ids"} with blocks of
// 512 tokens; the last id of a prompt covers what is left of it.  Timestamps stand for intervals of
// about three seconds: the requests of one timestamp are spread evenly until the next, those of the
// last one over the interval before it.  Times count from the first.  No sessions.
std::unique_ptr<RequestStream> read_mooncake_trace(const TraceSpec& spec, const std::string& path,
                                                   double rate_scale);

// Azure's LLM inference traces: TIMESTAMP,ContextTokens,GeneratedTokens.  Times count from the
// first. No sessions and no prefixes.
std::unique_ptr<RequestStream> read_azure_trace(const TraceSpec& spec, const std::string& path,
                                                double rate_scale);

// Recorded coding-agent sessions, one row a round; see coding_agents_reader.cpp for how rounds wait
// for each other.  Session arrivals are drawn from `seed`.
std::unique_ptr<RequestStream> read_coding_agents_trace(const TraceSpec& spec,
                                                        const std::string& path, double rate_scale,
                                                        std::uint64_t seed);

}  // namespace tokenyard::workload
