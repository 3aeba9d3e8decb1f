#pragma once
// A request as the workload describes it, before anything is simulated, and the stream it comes
// from.
//
// What of a prompt is a repetition.  A request's reusable prefix is the tokens of its `prefix`
// blocks, which any request with the same ids shares, or its session's own earlier context up to
// history_tokens, whichever reaches further; both start at the front of the prompt.  Every reader,
// every generator, the statistics and the simulation use this one rule.  Worked example: a session
// whose first turn had 1,000 tokens in and 200 out, and whose second prompt has 1,300, can find at
// most 1,200 of them in the cache, and has to compute 100.
//
// Samples of one prompt are requests of the same session, turn and group.  They share the prompt
// through its `prefix` blocks; a session's earlier context is what it had before the turn, so their
// history_tokens says where that ends.  Who waits for them names all of them in `after`.  An
// adapter changes what the cache holds, so equal ids stand for the same adapter as well.
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tokenyard::workload {

// No reader accepts and no generator makes a prompt or an answer longer than this.
inline constexpr std::int64_t kMaxTokens = 10'000'000;

struct Request {
  std::int64_t id = 0;
  std::int64_t session = -1;  // dense number, -1: none; names through RequestStream::session_name
  std::int32_t turn = 0;      // counts from 0 within a session
  // Released at arrival_s when `after` is empty; else think_s after the last of `after` has
  // finished.
  double arrival_s = 0.0;
  double think_s = 0.0;
  std::vector<std::int64_t> after;  // ids of earlier requests; several: join after a fan-out
  std::int64_t input_tokens = 1;    // the whole prompt, history included
  std::int64_t output_tokens = 1;
  // Hash ids of the prompt's blocks from the front, block_tokens() tokens each; equal ids stand for
  // equal prefixes (an id covers everything before it as well).
  std::vector<std::uint64_t> prefix;
  // How many of the prompt's first tokens repeat the session's earlier context verbatim; what of
  // that is still cached need not be computed.  -1: as much as the session has.
  std::int64_t history_tokens = -1;
  std::int32_t model = 0;     // index into RequestStream::models
  std::int32_t class_id = 0;  // index into RequestStream::classes
  std::int32_t tenant = 0;    // index into RequestStream::tenants
  std::int32_t adapter = -1;  // LoRA adapter: index into RequestStream::adapters, -1: none
  // Samples of one prompt of which one is wanted (best-of-n): requests of the same group.  When one of
  // them has finished, the others are cancelled, and who waits for them goes on.  -1: none.
  std::int64_t group = -1;
  // Its client leaves when it has no first token so long after its arrival, and does not go on with
  // its session.
  double patience_s = std::numeric_limits<double>::infinity();

  friend bool operator==(const Request&, const Request&) = default;
};

// Requests in order: those without `after` come with arrival times that never decrease; one with
// `after` comes later than the requests it waits for, and ids increase.  What generators make is
// session-major: all that depends on a root, or on the samples that are one, comes before the next
// root, so that who reads one root ahead holds only live sessions.  Streams: memory does not grow with
// the length, but for the names of sessions where a trace names them.
class RequestStream {
 public:
  virtual ~RequestStream() = default;
  // False at the end.  Throws InputError (file and line) on a malformed record.
  virtual bool next(Request& out) = 0;

  [[nodiscard]] std::int64_t block_tokens() const { return block_tokens_; }
  // Closed loop: keep this many requests in flight, whatever the arrival times; absent: open loop.
  [[nodiscard]] std::optional<std::int64_t> concurrency() const { return concurrency_; }
  [[nodiscard]] const std::vector<std::string>& classes() const { return classes_; }
  [[nodiscard]] const std::vector<std::string>& models() const {
    return models_;
  }  // [0] is "" = any
  [[nodiscard]] virtual std::string session_name(std::int64_t session) const;
  [[nodiscard]] const std::vector<std::string>& tenants() const { return tenants_; }
  [[nodiscard]] const std::vector<std::string>& adapters() const { return adapters_; }
  // True when the trace gave its sessions names; else session_name() makes "s7" of the number 7.
  [[nodiscard]] virtual bool names_sessions() const { return false; }
  // True when next() never returns false: a generator that was not told how many.
  [[nodiscard]] bool endless() const { return endless_; }
  // True when no request waits for another: its ids need not be remembered.
  [[nodiscard]] bool independent() const { return independent_; }
  // Lines left out because they were malformed and skipping was asked for.
  [[nodiscard]] std::int64_t skipped_lines() const { return skipped_; }

 protected:
  std::int64_t block_tokens_ = 512;
  std::optional<std::int64_t> concurrency_;
  std::vector<std::string> classes_{"default"};
  std::vector<std::string> models_{""};
  std::vector<std::string> tenants_{"default"};
  std::vector<std::string> adapters_;
  std::int64_t skipped_ = 0;
  bool endless_ = false;
  bool independent_ = false;
};

}  // namespace tokenyard::workload
