// Prefix hits of recorded sessions beside the simulated cache.
#include "study/prefix_validation.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace tokenyard::study {
namespace {

namespace fs = std::filesystem;

const std::string kHeader =
    "session_id,agent,round_idx,t_s,model,input_tokens,prefix_hit_tokens,new_input_tokens,"
    "output_tokens,api_time_s,think_time_s,stop,from_tool,tool_tokens,system_tokens\n";

// One round; what the comparison does not look at is the same in all.
std::string line(const std::string& session, const std::string& agent, int start_s, int input,
                 int recorded, int output) {
  return session + ',' + agent + ",0," + std::to_string(start_s) + ",made-up," +
         std::to_string(input) + ',' + std::to_string(recorded) + ",0," + std::to_string(output) +
         ",5,10,tool_use,1,300,40\n";
}

// Made-up rounds of two sessions; the first is the worked example of the header.
const std::string kRounds = line("a", "main", 0, 1000, 0, 200)        //
                            + line("a", "main", 20, 1300, 960, 100)   // + 200 stored, - 1
                            + line("a", "main", 2000, 800, 320, 10)   // shrank: 300 + 40 fixed
                            + line("a", "sub", 30, 500, 0, 20)        //
                            + line("a", "sub", 130, 640, 448, 20)     // 519 stored
                            + line("b", "main", 0, 1000, 0, 200)      // shares nothing with a
                            + line("b", "main", 4000, 1300, 0, 100);  // rewritten

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "tokenyard-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string write(const std::string& text) const {
    std::ofstream(path_ / "s.csv", std::ios::binary) << text;
    return (path_ / "s.csv").string();
  }

 private:
  fs::path path_;
};

PrefixValidation validation_of(const std::string& rounds,
                               std::optional<std::int64_t> sessions = std::nullopt) {
  const Folder folder;
  catalog::Catalog catalog(TOKENYARD_SOURCE_DIR);
  return validate_prefixes(folder.write(kHeader + rounds), catalog, {}, sessions);
}

std::vector<std::int64_t> simulated(const PrefixValidation& validation) {
  std::vector<std::int64_t> hits;
  for (const PrefixRequest& r : validation.requests) hits.push_back(r.simulated_hit_tokens);
  return hits;
}

std::string complaint(const std::string& rounds) {
  try {
    validation_of(rounds);
  } catch (const InputError& error) {
    const std::string message = error.what();
    const std::size_t at = message.find("s.csv");
    const bool begins = message.substr(0, at).find("error") == std::string::npos;
    return (begins ? "" : "behind another: ") + message.substr(at, message.find('\n', at) - at);
  }
  return "";
}

const std::vector<Cell>& row_of(const Table& table, const std::string& by,
                                const std::string& band) {
  for (const std::vector<Cell>& row : table.rows) {
    if (std::get<std::string>(row[0]) == by && std::get<std::string>(row[1]) == band) return row;
  }
  FAIL("no row ", by, " ", band);
  return table.rows.front();
}
double number(const std::vector<Cell>& row, std::size_t column) {
  return std::get<double>(row[column]);
}
constexpr std::size_t kRecorded = 4, kSimulated = 5, kDifference = 6, kAnswers = 7,
                      kUnexplained = 8, kSameBlock = 9;

}  // namespace

TEST_CASE("1,199 stored tokens are 18 blocks, 1,152 hits; 340 fixed ones are 5, 519 are 8") {
  const PrefixValidation validation = validation_of(kRounds);
  CHECK(validation.broken == "");
  CHECK_FALSE(validation.interrupted);
  CHECK(simulated(validation) == std::vector<std::int64_t>{0, 1152, 320, 0, 512, 0, 1152});
}

TEST_CASE("rounds, gaps and prompts are those of each agent of its session") {
  const PrefixValidation validation = validation_of(kRounds);
  REQUIRE(validation.requests.size() == 7);
  const PrefixRequest& sub = validation.requests[4];
  CHECK((sub.session == "a" && sub.agent == "sub" && sub.round == 1));
  CHECK((sub.gap_s == 100.0 && sub.previous_input_tokens == 500));
  CHECK(validation.requests[5].round == 0);
}

TEST_CASE("the worked example: 14.8 % more than recorded, all of it the answer") {
  const Table table = prefix_table(validation_of(kRounds, 1));
  const std::vector<Cell>& row = row_of(table, "gap", "under 1 min");
  CHECK(number(row, kRecorded) == doctest::Approx(960.0 / 1300));
  CHECK(number(row, kSimulated) == doctest::Approx(1152.0 / 1300));
  CHECK(number(row, kDifference) == doctest::Approx(192.0 / 1300));
  CHECK(number(row, kAnswers) == doctest::Approx(192.0 / 1300));
  CHECK(number(row, kUnexplained) == 0.0);
  CHECK(number(row, kSameBlock) == 1.0);
}

TEST_CASE("a prompt that was rewritten is the difference that answers do not explain") {
  const Table table = prefix_table(validation_of(kRounds));
  // 4,000 s after the one before it: nothing recorded, 1,152 simulated, 960 of them in the prompt.
  const std::vector<Cell>& row = row_of(table, "gap", "1 h and more");
  CHECK(std::get<std::int64_t>(row[2]) == 1);
  CHECK(number(row, kUnexplained) == doctest::Approx(960.0 / 1300));
  CHECK(number(row, kSameBlock) == 0.0);
  // All seven: 6,540 tokens, 1,728 recorded and 3,136 simulated hits, 192 + 64 + 192 of answers.
  const std::vector<Cell>& all = row_of(table, "all", "");
  CHECK(std::get<std::int64_t>(all[3]) == 6540);
  CHECK(number(all, kRecorded) == doctest::Approx(1728.0 / 6540));
  CHECK(number(all, kSimulated) == doctest::Approx(3136.0 / 6540));
  CHECK(number(all, kAnswers) == doctest::Approx(448.0 / 6540));
  CHECK(number(all, kSameBlock) == doctest::Approx(6.0 / 7));
}

TEST_CASE("every request is once in each grouping, those without a gap left aside") {
  const Table table = prefix_table(validation_of(kRounds));
  std::map<std::string, std::int64_t> requests;
  for (const std::vector<Cell>& row : table.rows)
    requests[std::get<std::string>(row[0])] += std::get<std::int64_t>(row[2]);
  CHECK(requests == std::map<std::string, std::int64_t>{
                        {"all", 7}, {"round", 7}, {"agent", 7}, {"gap", 4}, {"prompt", 7}});
}

TEST_CASE("a prompt longer than any model's context is served all the same") {
  const PrefixValidation validation =
      validation_of(line("a", "main", 0, 900'000, 0, 10) + line("a", "main", 9, 900'100, 0, 10));
  CHECK(simulated(validation) == std::vector<std::int64_t>{0, 899'968});  // 900,009 / 64 = 14,062
}

TEST_CASE("sessions beyond the limit are neither read nor run") {
  CHECK(validation_of(kRounds, 1).requests.size() == 5);
}

TEST_CASE("programs get a row a request, the first of an agent without a gap") {
  const Table table = prefix_points(validation_of(kRounds));
  REQUIRE(table.rows.size() == 7);
  CHECK(table.rows[0][3] == Cell{});
  CHECK(table.rows[1] == std::vector<Cell>{"a", "main", std::int64_t{1}, 20.0, std::int64_t{1300},
                                           std::int64_t{960}, std::int64_t{1152},
                                           std::int64_t{192}});
}

TEST_CASE("more hits than the prompt has tokens, and a start that is missing, are refused") {
  CHECK(complaint(line("a", "main", 0, 100, 128, 10)) ==
        "s.csv:2:24: error: prefix_hit_tokens: '128' is more than the prompt of 100 tokens");
  CHECK(complaint("a,main,0,,m,100,0,0,10,5,10,x,1,300,40\n") ==
        "s.csv:2:10: error: t_s: is empty; expected seconds since the session began");
}

TEST_CASE("what the replay refuses is refused with its place: a session's rows stand together") {
  CHECK(complaint(line("a", "main", 0, 100, 0, 10) + line("b", "main", 0, 100, 0, 10) +
                  line("a", "main", 9, 100, 0, 10)) ==
        "s.csv:4:1: error: session_id: 'a' came before; the rows of a session must stand together");
}

TEST_CASE("a file without a request is refused as such") {
  CHECK(complaint("") == "s.csv: error: there is no request in it; expected a row for each");
}

TEST_CASE("a session that is called like an agent of another one is refused in its line") {
  const std::string rounds = line("a", "main", 0, 100, 0, 10) + line("a", "x", 1, 100, 0, 10);
  CHECK(
      complaint(rounds + line("a/x", "main", 0, 100, 0, 10)) ==
      "s.csv:4:1: error: session_id: session 'a/x' cannot be told apart from agent 'x' of session "
      "'a' on line 3; expected names that differ once joined by '/'");
  CHECK(complaint(rounds + line("a/y", "main", 0, 100, 0, 10)) == "");
}

// The recording's own numbers: 46,218 requests, 5,260,969,600 of 5,467,403,989 prompt tokens hit.
TEST_CASE("real data: 692 coding-agent sessions, hit rates within 1 point of the recorded 96.2 %") {
  const char* given = std::getenv("TOKENYARD_DATA");
  const fs::path data =
      given != nullptr ? fs::path(given) : fs::path(TOKENYARD_SOURCE_DIR) / "../shared/data";
  const fs::path file = data / "traces" / "coding-agent-sessions.csv";
  if (!fs::exists(file)) {
    MESSAGE("skipped: there is no ", file.string(), " (set TOKENYARD_DATA)");
    return;
  }
  catalog::Catalog catalog(TOKENYARD_SOURCE_DIR);
  const PrefixValidation validation = validate_prefixes(file.string(), catalog, {});
  REQUIRE(validation.broken == "");
  REQUIRE(validation.requests.size() == 46'218);
  const Table table = prefix_table(validation);
  for (const std::vector<Cell>& row : table.rows) {
    MESSAGE(std::get<std::string>(row[0]), " ", std::get<std::string>(row[1]), ": ",
            std::get<std::int64_t>(row[2]), " requests, recorded ", number(row, kRecorded),
            ", simulated ", number(row, kSimulated), ", answers ", number(row, kAnswers),
            ", unexplained ", number(row, kUnexplained), ", same block ", number(row, kSameBlock));
  }
  const std::vector<Cell>& all = row_of(table, "all", "");
  CHECK(std::get<std::int64_t>(all[3]) == 5'467'403'989);
  CHECK(number(all, kRecorded) == doctest::Approx(5'260'969'600.0 / 5'467'403'989.0));
  // A third of a point is answers, the rest prompts that were rewritten near their front.
  CHECK(number(all, kDifference) > 0.0);
  CHECK(number(all, kDifference) < 0.01);
  CHECK(number(all, kUnexplained) < number(all, kDifference));
  CHECK(number(all, kSameBlock) > 0.9);
  // First requests share nothing with other sessions, in the recording as in the simulation.
  const std::vector<Cell>& first = row_of(table, "round", "1");
  CHECK((number(first, kRecorded) == 0.0 && number(first, kSimulated) == 0.0));
  // Prompts are rewritten the more often the longer the gap before them.
  CHECK(number(row_of(table, "gap", "under 1 min"), kUnexplained) <
        number(row_of(table, "gap", "1-5 min"), kUnexplained));
  CHECK(number(row_of(table, "gap", "1-5 min"), kUnexplained) <
        number(row_of(table, "gap", "5-60 min"), kUnexplained));
  CHECK(number(row_of(table, "gap", "5-60 min"), kUnexplained) <
        number(row_of(table, "gap", "1 h and more"), kUnexplained));
}

}  // namespace tokenyard::study
