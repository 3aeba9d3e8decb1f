#pragma once
// tokenyard's own trace format: JSON lines, one request a line, in the order of RequestStream.
//
//   {"tokenyard_trace":1,"block_tokens":512,"classes":["interactive"]}
//   {"id":0,"session":0,"arrival_s":0.25,"input_tokens":1000,"output_tokens":200,"class":"interactive"}
//   {"id":1,"session":0,"turn":1,"after":[0],"think_s":1.8,"input_tokens":1300,"output_tokens":80,...}
//
// The first line is optional: {"tokenyard_trace", "block_tokens", "concurrency", "classes",
// "models"}. Keys of a request: id, input_tokens, output_tokens, and either arrival_s or after
// (with think_s) are needed; session, turn, prefix, history_tokens, model and class are as in
// Request.  Ids increase; `after` names ids that came before.  A session is a number, or a name,
// which then gets the number of its first appearance; a file uses one of the two.  Classes and
// models that the first line does not list are added as they come.  Numbers are written so that
// they read back to the same double: reading what write_native() wrote gives equal requests.
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "workload/request.hpp"

namespace tokenyard::workload {

// Writes the stream to its end, or up to `limit` requests; returns how many.  Throws InputError for
// an endless stream without a limit, and when the file cannot be written; zstd when the path ends
// in ".zst".
std::int64_t write_native(RequestStream& stream, const std::string& path,
                          std::optional<std::int64_t> limit = {});
std::int64_t write_native(RequestStream& stream, std::ostream& out,
                          std::optional<std::int64_t> limit = {});

}  // namespace tokenyard::workload
