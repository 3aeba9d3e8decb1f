#include <doctest/doctest.h>

#include <unistd.h>

#include "trace_files.hpp"
#include "workload/native_format.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

// Resident memory of this process now.
double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0.0, resident = 0.0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::int64_t count(const WorkloadSpec& spec) {
  const auto stream = open_stream(spec, {});
  std::int64_t n = 0;
  for (Request r; stream->next(r);) ++n;
  return n;
}

}  // namespace

TEST_CASE("reading 300,000 lines (25 MB) takes no more than 16 MiB of memory, compressed or not") {
  const TemporaryFolder folder;
  const WorkloadSpec spec = read_workload(
      "generator: {kind: poisson, rate: 1 /s, input: 1000, output: 100, requests: 300000}\n");
  for (const std::string name : {"t.jsonl", "t.jsonl.zst"}) {
    write_native(*open_stream(spec, {}), folder.file(name));
    const double before = resident_bytes();
    CHECK(count(trace_of(folder.file(name))) == 300'000);
    // The block of 4 MiB, simdjson's index of it, zstd's window.
    CHECK(resident_bytes() - before < 16.0 * 1048576.0);
  }
  CHECK(std::filesystem::file_size(folder.file("t.jsonl")) > 20'000'000);
  CHECK(std::filesystem::file_size(folder.file("t.jsonl.zst")) < 8'000'000);
}

TEST_CASE("a line may end anywhere in a block: lines of every length come back whole") {
  const TemporaryFolder folder;
  std::string text;
  std::int64_t lines = 0;
  // Prefixes of 0 to 20,000 ids make lines of 70 bytes to 118 KB; 60 MB in all, many blocks of 4
  // MiB.
  for (int ids = 0; ids <= 20'000; ids += 20, ++lines) {
    text += R"({"id":)" + std::to_string(lines) +
            R"(,"arrival_s":0,"input_tokens":10000000,"output_tokens":1,"prefix":[)";
    for (int i = 0; i < ids; ++i) text += (i > 0 ? "," : "") + std::to_string(i);
    text += "]}\n";
  }
  const std::vector<Request> requests = [&] {
    std::vector<Request> kept;
    const auto stream =
        open_stream(trace_of(folder.write("t.jsonl", text.substr(0, 9'000'000))), {});
    try {
      for (Request r; stream->next(r);) kept.push_back(r);
    } catch (const InputError&) {
      // The text was cut in the middle of a line.
    }
    return kept;
  }();
  CHECK(requests.size() > 300);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    REQUIRE(requests[i].id == static_cast<std::int64_t>(i));
    REQUIRE(requests[i].prefix.size() == 20 * i);
    if (i > 0) REQUIRE(requests[i].prefix.back() == 20 * i - 1);
  }
}

TEST_CASE("a line longer than 4 MiB is refused, not stored") {
  const TemporaryFolder folder;
  const std::string path = folder.write("t.jsonl", std::string(5'000'000, 'x'));
  CHECK(message_of([&] { count(trace_of(path)); }) ==
        path + ":1:1: error: the line is longer than 4 MiB; is this a trace?");
}

TEST_CASE("compressed data that is cut off or damaged is refused") {
  const TemporaryFolder folder;
  const WorkloadSpec spec = read_workload(
      "generator: {kind: poisson, rate: 1 /s, input: 1000, output: 100, requests: 30000}\n");
  write_native(*open_stream(spec, {}), folder.file("t.jsonl.zst"));
  std::ifstream file(folder.file("t.jsonl.zst"), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string cut = folder.write("cut.jsonl.zst", bytes.substr(0, bytes.size() / 2));
  CHECK(message_of([&] { count(trace_of(cut)); }) ==
        cut + ": error: the compressed data ends in the middle; the file is cut off");
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 64; ++i)
    bytes[i] = static_cast<char>(~bytes[i]);
  const std::string damaged = folder.write("damaged.jsonl.zst", bytes);
  CHECK_FALSE(message_of([&] { count(trace_of(damaged)); }).empty());
}
