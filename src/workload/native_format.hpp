#pragma once
// tokenyard's own trace format: JSON lines, one request a line, in the order of RequestStream.
//
//   {"tokenyard_trace":1,"block_tokens":512,"classes":["interactive"]}
//   {"id":0,"session":0,"arrival_s":0.25,"input_tokens":1000,"output_tokens":200,"class":"interactive"}
//   {"id":1,"session":0,"turn":1,"after":[0],"think_s":1.8,"input_tokens":1300,"output_tokens":80,...}
//
// The first line is optional: {"tokenyard_trace", "block_tokens", "concurrency", "classes",
// "models", "tenants", "adapters"}.  Keys of a request: id, input_tokens, output_tokens, and either
// arrival_s or after (with think_s) are needed; session, turn, prefix, history_tokens, model, class,
// tenant, adapter, group and patience_s are as in Request.  Ids increase; `after` names ids that came
// before.  A session is a number, or a name, which then gets the number of its first appearance; a
// file uses one of the two.  Classes, models, tenants and adapters are names; where the first line
// has no such list, they are added as they come.  Numbers are written so that they read back to the
// same double: reading what write_native() wrote gives equal requests.
//
// Two samples of one prompt, whose client leaves after 30 s without a token, and what goes on with
// the better one:
//
//   {"id":2,"session":1,"arrival_s":3,"input_tokens":700,"output_tokens":90,"prefix":[1],"group":0,
//    "patience_s":30,"tenant":"t1","adapter":"sql"}
//   {"id":3, ... as above ... "output_tokens":120}
//   {"id":4,"session":1,"turn":1,"after":[2,3],"input_tokens":850,"output_tokens":40,"prefix":[1],
//    "history_tokens":790,"tenant":"t1","adapter":"sql"}
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
