#include <doctest/doctest.h>

#include "trace_files.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

std::string mooncake_line(int timestamp_ms, int input, const std::string& hash_ids) {
  return R"({"timestamp": )" + std::to_string(timestamp_ms) + R"(, "input_length": )" +
         std::to_string(input) + R"(, "output_length": 7, "hash_ids": )" + hash_ids + "}\n";
}

const std::string kAzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n";

std::string first_complaint(const std::string& text, TraceFormat format) {
  const TemporaryFolder folder;
  const std::string path = folder.write("t", text);
  const std::string message = message_of([&] { all_of(trace_of(path, format)); });
  return message.empty() ? message : message.substr(path.size(), message.find('\n') - path.size());
}

}  // namespace

TEST_CASE(
    "Mooncake: requests of one timestamp spread evenly to the next; the last like those before") {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("m.jsonl", mooncake_line(6000, 513, "[0, 1]") + mooncake_line(6000, 512, "[0]") +
                                  mooncake_line(9000, 1, "[2]") + mooncake_line(12000, 1, "[3]") +
                                  mooncake_line(12000, 1, "[3]") + mooncake_line(12000, 1, "[3]"));
  const auto stream = open_stream(trace_of(path, TraceFormat::mooncake), {});
  CHECK(stream->block_tokens() == 512);
  const std::vector<Request> requests = all_of(*stream);
  REQUIRE(requests.size() == 6);
  CHECK(requests[0].arrival_s == 0.0);
  CHECK(requests[1].arrival_s == 1.5);
  CHECK(requests[2].arrival_s == 3.0);
  CHECK(requests[3].arrival_s == 6.0);
  CHECK(requests[4].arrival_s == doctest::Approx(7.0));
  CHECK(requests[5].arrival_s == doctest::Approx(8.0));
  CHECK(requests[0].prefix == std::vector<std::uint64_t>{0, 1});
  CHECK(requests[0].input_tokens == 513);
  CHECK(requests[0].output_tokens == 7);
  CHECK(requests[5].id == 5);
  CHECK(requests[5].session == -1);
}

TEST_CASE("Mooncake: what is wrong with a line") {
  CHECK(first_complaint(mooncake_line(3, 1, "[]") + mooncake_line(2, 1, "[]"),
                        TraceFormat::mooncake) ==
        ":2:2: error: timestamp: comes before the request above it; sort the trace by timestamp");
  CHECK(first_complaint(mooncake_line(3, 512, "[1, 2]"), TraceFormat::mooncake) ==
        ":1:59: error: hash_ids: 2 blocks of 512 tokens are more than the 512 tokens of "
        "input_length fill");
  CHECK(first_complaint(R"({"timestamp": 0})", TraceFormat::mooncake) ==
        ":1:1: error: key 'input_length' is missing");
}

TEST_CASE("Azure: times count from the first request, across midnight, to 100 ns") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.csv", kAzureHeader +
                                                     "2023-11-16 23:59:58.5000000,374,44\r\n"
                                                     "2023-11-17 00:00:01.2500001,396,109\r\n"
                                                     "2023-11-17 00:00:02,1,1\r\n");
  const std::vector<Request> requests = all_of(trace_of(path, TraceFormat::azure));
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].arrival_s == 0.0);
  CHECK(requests[1].arrival_s == 2.7500001);
  CHECK(requests[2].arrival_s == 3.5);
  CHECK(requests[1].input_tokens == 396);
  CHECK(requests[1].output_tokens == 109);
}

TEST_CASE("Azure: what is wrong with a line or the header") {
  const auto complaint = [](const std::string& text) {
    return first_complaint(text, TraceFormat::azure);
  };
  CHECK(complaint("") ==
        ": error: the file is empty; expected TIMESTAMP,ContextTokens,GeneratedTokens");
  CHECK(complaint("TIMESTAMP,ContextToken,GeneratedTokens\n") ==
        ":1:1: error: column 'ContextTokens' is missing; did you mean 'ContextToken'?");
  CHECK(complaint(kAzureHeader + "2023-02-30 00:00:00.0,1,1\n") ==
        ":2:1: error: TIMESTAMP: '2023-02-30 00:00:00.0' is not a time such as '2023-11-16 "
        "18:15:46.6805900'");
  CHECK(complaint(kAzureHeader + "2023-02-03 00:00:00.0,1x,1\n") ==
        ":2:23: error: ContextTokens: '1x' is not a whole number");
  CHECK(complaint(kAzureHeader + "2023-02-03 00:00:00.0,1,0\n") ==
        ":2:25: error: GeneratedTokens: 0 is out of range; expected 1 to 10000000 tokens");
  CHECK(complaint(kAzureHeader + "2023-02-03 00:00:00.0,1\n") ==
        ":2:1: error: 2 fields; the header has 3");
  CHECK(complaint(kAzureHeader + "2023-02-03 00:00:01,1,1\n2023-02-03 00:00:00,1,1\n") ==
        ":3:1: error: TIMESTAMP: comes before the request above it; sort the trace by TIMESTAMP");
}
