#include <doctest/doctest.h>

#include <cmath>

#include "base/random.hpp"
#include "trace_files.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

constexpr const char* kGood = R"({"id":1,"arrival_s":0.5,"input_tokens":10,"output_tokens":2})";

std::vector<Request> read(const std::string& text) {
  const TemporaryFolder folder;
  return all_of(trace_of(folder.write("t.jsonl", text)));
}

// What is wrong with the line under the good one; the folder's name is cut off.
std::string complaint(const std::string& line) {
  const TemporaryFolder folder;
  const std::string path = folder.write("t.jsonl", std::string(kGood) + '\n' + line + '\n');
  const std::string message = message_of([&] { all_of(trace_of(path)); });
  return message.empty() ? message : message.substr(folder.path().size() + 1);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("every key of a native line arrives in the request") {
  const std::vector<Request> requests = read(
      R"({"tokenyard_trace":1,"block_tokens":16})"
      "\n"
      R"({"id":6,"session":"s1","turn":1,"arrival_s":12.5,"input_tokens":52,"output_tokens":3})"
      "\n"
      R"({"id":7,"session":"s1","turn":2,"after":[6],"think_s":1.8,"input_tokens":60,"output_tokens":31,)"
      R"("prefix":[11,12,18446744073709551615],"history_tokens":55,"model":"llama","class":"interactive",)"
      R"("tenant":"acme","adapter":"sql","group":3,"patience_s":12.5})"
      "\n");
  REQUIRE(requests.size() == 2);
  const Request& r = requests[1];
  CHECK(requests[0].arrival_s == 12.5);
  CHECK(requests[0].session == 0);
  CHECK(requests[0].history_tokens == -1);
  CHECK(r.id == 7);
  CHECK(r.session == 0);
  CHECK(r.turn == 2);
  CHECK(r.after == std::vector<std::int64_t>{6});
  CHECK(r.think_s == 1.8);
  CHECK(r.input_tokens == 60);
  CHECK(r.output_tokens == 31);
  CHECK(r.prefix == std::vector<std::uint64_t>{11, 12, 18446744073709551615ULL});
  CHECK(r.history_tokens == 55);
  CHECK(r.model == 1);
  CHECK(r.class_id == 1);
  CHECK(r.tenant == 1);
  CHECK(r.adapter == 0);
  CHECK(r.group == 3);
  CHECK(r.patience_s == 12.5);
  CHECK(requests[0].tenant == 0);
  CHECK(requests[0].adapter == -1);
  CHECK(requests[0].group == -1);
  CHECK(std::isinf(requests[0].patience_s));
}

TEST_CASE("tenants and adapters are listed in the first line, or added as they come") {
  const TemporaryFolder folder;
  const std::string line =
      R"({"id":0,"arrival_s":0,"input_tokens":1,"output_tokens":1,"tenant":"b","adapter":"y"})";
  const auto listed =
      open_stream(trace_of(folder.write(
                      "a.jsonl", R"({"tokenyard_trace":1,"tenants":["a","b"],"adapters":["x","y"]})"
                                 "\n" +
                                     line)),
                  {});
  CHECK(listed->tenants() == std::vector<std::string>{"a", "b"});
  const std::vector<Request> requests = all_of(*listed);
  CHECK(requests.at(0).tenant == 1);
  CHECK(requests.at(0).adapter == 1);
  const auto coming = open_stream(trace_of(folder.write("b.jsonl", line)), {});
  CHECK(all_of(*coming).at(0).adapter == 0);
  CHECK(coming->tenants() == std::vector<std::string>{"default", "b"});
  CHECK(coming->adapters() == std::vector<std::string>{"y"});
  const auto complaint_of = [&](const std::string& header) {
    const std::string path = folder.write("c.jsonl", header + '\n' + line);
    return first_line(message_of([&] { all_of(trace_of(path)); }).substr(folder.path().size() + 1));
  };
  CHECK(complaint_of(R"({"tokenyard_trace":1,"tenants":["a","bb"]})") ==
        "c.jsonl:2:58: error: tenant: 'b' is not listed in the file's first line; accepted: a, bb");
  CHECK(complaint_of(R"({"tokenyard_trace":1,"adapters":["sql"]})") ==
        "c.jsonl:2:71: error: adapter: 'y' is not listed in the file's first line; accepted: sql");
  CHECK(complaint_of(R"({"tokenyard_trace":1,"adapters":[]})") ==
        "c.jsonl:1:22: error: adapters: the list is empty");
}

TEST_CASE("groups and patience that no request can have are refused") {
  const auto with = [](const std::string& more) {
    return first_line(
        complaint(R"({"id":2,"arrival_s":1,"input_tokens":5,"output_tokens":2,)" + more + "}"));
  };
  CHECK(with(R"("group":-1)") == "t.jsonl:2:58: error: group: is negative");
  CHECK(with(R"("group":1.5)") == "t.jsonl:2:58: error: group: '1.5' is not a whole number");
  CHECK(with(R"("patience_s":0)") == "t.jsonl:2:58: error: patience_s: is not more than 0");
  CHECK(with(R"("patience_s":-3)") == "t.jsonl:2:58: error: patience_s: is not more than 0");
  CHECK(with(R"("patience_s":1e10)") == "t.jsonl:2:58: error: patience_s: is more than 30 years");
  CHECK(with(R"("patience_s":"x")") == "t.jsonl:2:58: error: patience_s: '\"x\"' is not a number");
  CHECK(with(R"("tenant":7)") == "t.jsonl:2:58: error: tenant: '7' is not text");
  CHECK(with(R"("adapter":null)") == "t.jsonl:2:58: error: adapter: 'null' is not text");
  CHECK(with(R"("patience":3)") ==
        "t.jsonl:2:58: error: patience: unknown key 'patience'; did you mean 'patience_s'?");
}

TEST_CASE("a trace needs no first line, no last line end, and may have blank lines and CRLF") {
  CHECK(read(kGood).size() == 1);
  CHECK(read(std::string("\xef\xbb\xbf") + kGood + "\r\n\r\n").size() == 1);
  CHECK(read("").empty());
}

TEST_CASE("the first line sets the block size, the concurrency and the names") {
  const TemporaryFolder folder;
  const std::string path = folder.write(
      "t.jsonl",
      R"({"tokenyard_trace":1,"block_tokens":16,"concurrency":8,"classes":["a","b"],"models":["","m"]})"
      "\n"
      R"({"id":0,"arrival_s":0,"input_tokens":1,"output_tokens":1,"class":"b","model":"m"})");
  const auto stream = open_stream(trace_of(path), {});
  CHECK(stream->block_tokens() == 16);
  CHECK(stream->concurrency() == 8);
  CHECK(stream->classes() == std::vector<std::string>{"a", "b"});
  const std::vector<Request> requests = all_of(*stream);
  CHECK(requests.at(0).class_id == 1);
  CHECK(requests.at(0).model == 1);
}

TEST_CASE("a session's name gets the number of its first appearance; a number stays what it is") {
  const TemporaryFolder folder;
  const auto line = [](int id, const std::string& session) {
    return R"({"id":)" + std::to_string(id) + R"(,"session":)" + session +
           R"(,"arrival_s":0,"input_tokens":1,"output_tokens":1})" + '\n';
  };
  const auto named = open_stream(
      trace_of(folder.write("a.jsonl", line(0, R"("x")") + line(1, R"("y")") + line(2, R"("x")"))),
      {});
  const std::vector<Request> requests = all_of(*named);
  CHECK(requests.at(1).session == 1);
  CHECK(requests.at(2).session == 0);
  CHECK(named->session_name(1) == "y");
  CHECK(named->names_sessions());
  const auto numbered = open_stream(trace_of(folder.write("b.jsonl", line(0, "41"))), {});
  CHECK(all_of(*numbered).at(0).session == 41);
  CHECK(numbered->session_name(41) == "s41");
  CHECK(message_of([&] {
          all_of(trace_of(folder.write("c.jsonl", line(0, "41") + line(1, R"("x")"))));
        }).find("session: is a name, but the sessions before it are numbers") != std::string::npos);
}

TEST_CASE("a malformed line is named with its place and what is wrong") {
  CHECK(complaint(R"({"id":2,"arrival_s":1,"input_tokens":-5,"output_tokens":2})") ==
        "t.jsonl:2:23: error: input_tokens: -5 is out of range; expected 1 to 10000000 tokens\n"
        "    2 | {\"id\":2,\"arrival_s\":1,\"input_tokens\":-5,\"output_tokens\":2}\n"
        "      |                       ^");
  const auto first = [](const std::string& line) { return first_line(complaint(line)); };
  CHECK(first(R"({"id":2,"arrival_s":1,"output_tokens":2})") ==
        "t.jsonl:2:1: error: key 'input_tokens' is missing");
  CHECK(first(R"({"id":2,"arrival_s":1,"input_tokens":"5","output_tokens":2})") ==
        "t.jsonl:2:23: error: input_tokens: '\"5\"' is not a whole number");
  CHECK(first(R"({"id":2,"arrival_s":1,"input_tokens":5.5,"output_tokens":2})") ==
        "t.jsonl:2:23: error: input_tokens: '5.5' is not a whole number");
  CHECK(first(R"({"id":2,"arrival_s":1,"input_tokens":99999999999999999999,"output_tokens":2})") ==
        "t.jsonl:2:23: error: input_tokens: '99999999999999999999' is not a whole number");
  CHECK(
      first(R"({"id":2,"arrival_s":1,"input_tokens":20000000,"output_tokens":2})") ==
      "t.jsonl:2:23: error: input_tokens: 20000000 is out of range; expected 1 to 10000000 tokens");
  CHECK(first(R"({"id":2,"arrival_s":1,"input_tokens":5,"output_tokens":0})") ==
        "t.jsonl:2:40: error: output_tokens: 0 is out of range; expected 1 to 10000000 tokens");
  CHECK(first(R"({"id":2,"arrival_s":"x","input_tokens":5,"output_tokens":2})") ==
        "t.jsonl:2:9: error: arrival_s: '\"x\"' is not a number");
  CHECK(first(R"({"id":2,"arrival_s":1,"arrival_s":1,"input_tokens":5,"output_tokens":2})") ==
        "t.jsonl:2:9: error: arrival_s: key 'arrival_s' is given twice");
  CHECK(
      first(R"({"id":2,"arrival_s":1,"input_token":5,"output_tokens":2})") ==
      "t.jsonl:2:23: error: input_token: unknown key 'input_token'; did you mean 'input_tokens'?");
  CHECK(first(R"({"id":2,"arrival_s":1,"input_tokens":5,"output_tokens":2,"prefix":[1,-2]})") ==
        "t.jsonl:2:58: error: prefix: '-2' is not one of a list of whole numbers from 0");
  CHECK(first(R"({"id":2,"arrival_s":1,"input_tokens":5,"output_tokens":2,"prefix":7})") ==
        "t.jsonl:2:58: error: prefix: '7' is not a list of whole numbers from 0");
  CHECK(
      first(R"({"id":2,"arrival_s":1,"input_tokens":5,"output_tokens":2,"prefix":[1,2]})") ==
      "t.jsonl:2:58: error: prefix: 2 blocks of 512 tokens are more than the 5 input_tokens fill");
  CHECK(first(R"({"id":2,"arrival_s":1,"input_tokens":5,"output_tokens":2,"history_tokens":6})") ==
        "t.jsonl:2:58: error: history_tokens: 6 is out of range; expected -1 (all) to 5, the "
        "input_tokens");
}

TEST_CASE("damage that is not a field's is named too") {
  const auto first = [](const std::string& line) { return first_line(complaint(line)); };
  CHECK(first("[1]").starts_with("t.jsonl:2:1: error: not a JSON object: "));
  CHECK(first(R"({"id":2,"arrival_s":1)").starts_with("t.jsonl:2:1: error: not a JSON object: "));
  CHECK(first(std::string(kGood) + kGood)
            .find(": error: not a JSON object: Unexpected trailing content") != std::string::npos);
  CHECK(first(R"({"id":2,"arrival_s":1,"input_tokens":5,"output_tokens":tru})") ==
        "t.jsonl:2:40: error: output_tokens: 'tru' is not a whole number");
  CHECK(first("{\"id\":2,\"class\":\"\xff\xfe\"}") == "t.jsonl:2:1: error: invalid UTF-8");
  CHECK(complaint("{\"id\":2,\"class\":\"\xff\xfe\"}").find('\xff') == std::string::npos);
}

TEST_CASE("order, ids and waits are checked across lines") {
  const auto first = [](const std::string& line) { return first_line(complaint(line)); };
  const std::string lengths = R"("input_tokens":5,"output_tokens":2})";
  CHECK(first(R"({"id":2,"arrival_s":0.25,)" + lengths) ==
        "t.jsonl:2:9: error: arrival_s: comes before the request above it; sort the trace by "
        "arrival");
  CHECK(first(R"({"id":1,"arrival_s":1,)" + lengths) ==
        "t.jsonl:2:2: error: id: 1 does not increase; the id before it is 1");
  CHECK(first(R"({"id":3,"after":[2],)" + lengths) ==
        "t.jsonl:2:9: error: after: waits for request 2, which does not come before it");
  CHECK(first(R"({"id":3,"after":[3],)" + lengths) ==
        "t.jsonl:2:9: error: after: waits for request 3, which does not come before it");
  CHECK(first(R"({"id":3,"after":[1,1],)" + lengths) ==
        "t.jsonl:2:9: error: after: the ids must increase, so that each occurs once");
  CHECK(first(R"({"id":3,)" + lengths) == "t.jsonl:2:1: error: needs 'arrival_s' or 'after'");
  CHECK(first(R"({"id":3,"after":[],)" + lengths) ==
        "t.jsonl:2:1: error: needs 'arrival_s' or 'after'");
  CHECK(first(R"({"id":3,"after":[1],"arrival_s":2,)" + lengths) ==
        "t.jsonl:2:1: error: has both 'arrival_s' and 'after'; a request that waits for others has "
        "no arrival time of "
        "its own");
  CHECK(first(R"({"id":3,"arrival_s":2,"think_s":1,)" + lengths) ==
        "t.jsonl:2:23: error: think_s: has no effect without 'after'");
  CHECK(first(R"({"id":3,"after":[1],"think_s":-1,)" + lengths) ==
        "t.jsonl:2:21: error: think_s: is negative");
  CHECK(first(R"({"id":3,"arrival_s":-2,)" + lengths) ==
        "t.jsonl:2:9: error: arrival_s: is negative");
}

TEST_CASE("names that the first line lists are all there are") {
  const TemporaryFolder folder;
  const std::string path = folder.write(
      "t.jsonl",
      R"({"tokenyard_trace":1,"classes":["interactive"]})"
      "\n"
      R"({"id":0,"arrival_s":0,"input_tokens":1,"output_tokens":1,"class":"interactiv"})");
  CHECK(first_line(message_of([&] { all_of(trace_of(path)); })) ==
        path +
            ":2:58: error: class: 'interactiv' is not listed in the file's first line; did you "
            "mean 'interactive'?");
}

TEST_CASE("a first line of another version is refused even when bad lines are skipped") {
  const TemporaryFolder folder;
  WorkloadSpec spec = trace_of(folder.write("t.jsonl", R"({"tokenyard_trace":2})"));
  spec.trace->skip_bad_lines = true;
  CHECK(message_of([&] { all_of(spec); }) ==
        folder.file("t.jsonl") +
            ":1:2: error: tokenyard_trace: version 2 is not known; expected 1\n"
            "    1 | {\"tokenyard_trace\":2}\n"
            "      |  ^");
}

TEST_CASE("skipped lines are counted, and so are those that wait for a skipped one") {
  const TemporaryFolder folder;
  WorkloadSpec spec = trace_of(
      folder.write("t.jsonl", std::string(kGood) +
                                  "\nnonsense\n"
                                  R"({"id":2,"arrival_s":1,"input_tokens":0,"output_tokens":2})"
                                  "\n"
                                  R"({"id":3,"after":[2],"input_tokens":5,"output_tokens":2})"
                                  "\n"
                                  R"({"id":4,"after":[1],"input_tokens":5,"output_tokens":2})"));
  spec.trace->skip_bad_lines = true;
  const auto stream = open_stream(spec, {});
  const std::vector<Request> requests = all_of(*stream);
  CHECK(requests.size() == 2);
  CHECK(requests.at(1).id == 4);
  CHECK(stream->skipped_lines() == 3);
}

TEST_CASE("time_scale multiplies arrivals, a rate scale divides them, and limit ends the trace") {
  const TemporaryFolder folder;
  WorkloadSpec spec = trace_of(folder.write(
      "t.jsonl", std::string(kGood) + '\n' +
                     R"({"id":2,"arrival_s":3,"input_tokens":1,"output_tokens":1})" + '\n' +
                     R"({"id":3,"after":[2],"think_s":4,"input_tokens":1,"output_tokens":1})"));
  spec.trace->time_scale = 6.0;
  std::vector<Request> requests =
      all_of(spec, {.directory = {}, .fallback = {}, .seed = 1, .rate_scale = 2.0});
  CHECK(requests.at(1).arrival_s == 9.0);
  CHECK(requests.at(2).think_s == 4.0);
  spec.trace->limit = 2;
  CHECK(all_of(spec).size() == 2);
}

TEST_CASE("a missing trace is refused with every place looked in and where it comes from") {
  const char* data = std::getenv("TOKENYARD_DATA");
  const std::string kept = data != nullptr ? data : "";
  setenv("TOKENYARD_DATA", "/nowhere/data", 1);
  WorkloadSpec spec = trace_of("x.jsonl");
  spec.source = "https://example.org/x, CC0";
  const std::string message =
      message_of([&] { open_stream(spec, {.directory = "/nowhere/w", .fallback = "/nowhere/c"}); });
  if (data != nullptr) {
    setenv("TOKENYARD_DATA", kept.c_str(), 1);
  } else {
    unsetenv("TOKENYARD_DATA");
  }
  CHECK(message ==
        "error: there is no trace 'x.jsonl'; looked for:\n"
        "  /nowhere/w/x.jsonl\n"
        "  /nowhere/c/x.jsonl\n"
        "  /nowhere/data/traces/x.jsonl\n"
        "  /nowhere/data/x.jsonl\n"
        "its source: https://example.org/x, CC0");
}

TEST_CASE("what is not a regular file is refused, not waited for") {
  CHECK(message_of([] { all_of(trace_of("/dev/zero")); }) ==
        "/dev/zero: error: is not a regular file");
}

TEST_CASE(
    "2,000 lines with random damage are read within the bounds or refused with the line's number") {
  const TemporaryFolder folder;
  const std::string line =
      R"({"id":3,"session":"s\u00e9","turn":2,"after":[1,2],"think_s":1.5e0,"input_tokens":600,"output_tokens":2,)"
      R"("prefix":[7,8],"history_tokens":10,"model":"m","class":"c"})";
  const std::string good = std::string(kGood) +
                           "\n"
                           R"({"id":2,"arrival_s":1,"input_tokens":1,"output_tokens":1})"
                           "\n";
  RandomStream random(1, "damage");
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = line;
    for (std::int64_t n = random.integer(1, 4); n > 0; --n) {
      const auto at = static_cast<std::size_t>(
          random.integer(0, static_cast<std::int64_t>(damaged.size()) - 1));
      const auto byte = static_cast<char>(random.integer(1, 255));
      switch (random.integer(0, 2)) {
        case 0:
          damaged[at] = byte;
          break;
        case 1:
          damaged.insert(at, 1, byte);
          break;
        default:
          damaged.erase(at, 1);
      }
    }
    const std::string path = folder.write("t.jsonl", good + damaged);
    std::vector<Request> requests;
    const std::string message = message_of([&] { requests = all_of(trace_of(path)); });
    if (!message.empty()) {
      ++refused;
      // A damage may be an end of line, which moves what is wrong to the next.
      CHECK((message.starts_with(path + ":3:") || message.starts_with(path + ":4:")));
      continue;
    }
    for (const Request& r : requests) {
      CHECK(r.input_tokens >= 1);
      CHECK(r.output_tokens >= 1);
      CHECK(r.input_tokens <= kMaxTokens);
      for (const std::int64_t id : r.after) CHECK(id < r.id);
    }
  }
  CHECK(refused > 1000);
}
