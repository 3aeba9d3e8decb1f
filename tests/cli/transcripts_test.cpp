#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "transcript.hpp"

namespace tokenyard::test {
namespace {

namespace fs = std::filesystem;

const fs::path kTranscripts = fs::path(TOKENYARD_SOURCE_DIR) / "tests" / "cli";

std::vector<fs::path> transcripts() {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kTranscripts)) {
    if (entry.path().extension() == ".transcript") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The commands that the program says it has.
std::set<std::string> verbs() {
  std::set<std::string> names;
  for (const std::string& line : lines_of(Shell().run("tokenyard --help").out)) {
    if (line.starts_with("  ")) names.insert(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

}  // namespace

TEST_CASE("every command prints what its transcripts say, and ends with the code they say") {
  REQUIRE(fs::exists(program_path()));
  const std::vector<fs::path> files = transcripts();
  REQUIRE_FALSE(files.empty());
  for (const fs::path& file : files) {
    const std::string name = fs::relative(file, kTranscripts).string();
    const std::string expected = text_of(file);
    const std::string actual = replayed(expected);
    CHECK_MESSAGE(actual == expected, name << ": the program now says\n" << actual);
  }
}

TEST_CASE("every command has a transcript, and every folder of transcripts is a command") {
  std::set<std::string> have;
  for (const fs::path& file : transcripts()) have.insert(file.parent_path().filename().string());
  have.erase("program");  // what belongs to no command: --help, --version, unknown ones
  CHECK(verbs().size() >= 7);
  CHECK(have == verbs());
}

TEST_CASE("placeholders of transcripts stand for what they say and nothing else") {
  CHECK(line_matches("plan 0123456789abcdef", "plan <hash>"));
  CHECK_FALSE(line_matches("plan 0123456789abcde", "plan <hash>"));
  CHECK(line_matches("12.5 kW", "<number> kW"));
  CHECK_FALSE(line_matches("many kW", "<number> kW"));
  CHECK(line_matches("a (b) [c]", "a (b) [<word>]"));
  CHECK_FALSE(line_matches("a (b) [c d]", "a (b) [<word>]"));
  CHECK(line_matches("took a while", "took <...>"));
  CHECK_FALSE(line_matches("a.b", "axb"));
}

}  // namespace tokenyard::test
