#include "study/prefix_rows.hpp"

#include <map>
#include <utility>

namespace tokenyard::study {
namespace {

// The last request of each agent of a session.
struct Last {
  std::int64_t round = 0;
  double start_s = 0.0;
  std::int64_t input_tokens = 0;
};
using Agents = std::map<std::string, Last>;

PrefixRequest request_of(const MeasuredRow& row, Agents& agents, Diagnostics& diagnostics) {
  PrefixRequest request{.session = row.word("session_id", diagnostics),
                        .agent = row.word("agent", diagnostics),
                        .round = 0,
                        .gap_s = 0.0,
                        .input_tokens = row.count("input_tokens", diagnostics),
                        .previous_input_tokens = 0,
                        .recorded_hit_tokens = row.count("prefix_hit_tokens", diagnostics, 0),
                        .simulated_hit_tokens = 0};
  if (request.recorded_hit_tokens > request.input_tokens) {
    row.refuse("prefix_hit_tokens",
               "'" + std::to_string(request.recorded_hit_tokens) + "' is more than the prompt of " +
                   std::to_string(request.input_tokens) + " tokens",
               diagnostics);
  }
  const std::optional<double> start_s = row.number("t_s", diagnostics);
  if (row.text("t_s").empty())
    row.refuse("t_s", "is empty; expected seconds since the session began", diagnostics);
  const auto [at, is_first] = agents.try_emplace(request.agent);
  Last& last = at->second;
  if (!is_first) {
    request.round = last.round + 1;
    request.gap_s = start_s.value_or(0.0) - last.start_s;
    request.previous_input_tokens = last.input_tokens;
  }
  last = {request.round, start_s.value_or(0.0), request.input_tokens};
  return request;
}

// Whose session has a name in the simulation, and the line of its first request.
struct Owner {
  std::string session, agent;
  int line = 0;
};

std::string text_of(const std::string& session, const std::string& agent) {
  if (agent == "main") return "session " + quote_word(session);
  return "agent " + quote_word(agent) + " of session " + quote_word(session);
}

// Session "a/x" and agent "x" of session "a" are one to the simulation.
void refuse_shared_name(const MeasuredRow& row, const PrefixRequest& request,
                        std::map<std::string, Owner>& owners, Diagnostics& diagnostics) {
  const auto [at, is_new] = owners.try_emplace(
      simulated_session(request), Owner{request.session, request.agent, row.place().line});
  const Owner& first = at->second;
  if (is_new || (first.session == request.session && first.agent == request.agent)) return;
  row.refuse("session_id",
             text_of(request.session, request.agent) + " cannot be told apart from " +
                 text_of(first.session, first.agent) + " on line " + std::to_string(first.line) +
                 "; expected names that differ once joined by '/'",
             diagnostics);
}

}  // namespace

std::string simulated_session(const PrefixRequest& request) {
  return request.agent == "main" ? request.session : request.session + '/' + request.agent;
}

std::vector<PrefixRequest> recorded_requests(const MeasuredCsv& csv,
                                             std::optional<std::int64_t> sessions) {
  Diagnostics diagnostics;
  std::vector<PrefixRequest> requests;
  std::string session;
  std::int64_t begun = 0;
  Agents agents;
  std::map<std::string, Owner> owners;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    const MeasuredRow row = csv.row(i);
    if (begun == 0 || row.text("session_id") != session) {
      if (sessions && begun == *sessions) break;
      session = row.text("session_id");
      ++begun;
      agents.clear();
    }
    requests.push_back(request_of(row, agents, diagnostics));
    if (requests.back().round == 0) refuse_shared_name(row, requests.back(), owners, diagnostics);
  }
  diagnostics.throw_if_any();
  return requests;
}

}  // namespace tokenyard::study
