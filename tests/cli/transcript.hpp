#pragma once
// Transcripts: commands and everything they must print.
//
//   # A remark.
//   $ tokenyard query --db gone.db 'SELECT 1'
//   ! error: ...                    a line on standard error; those of standard output come first
//   [2]                             the exit code, when it is not 0
//
// A transcript's commands run one after another, by sh, in a folder of their own that holds the toy
// catalog (support/toy_yard.hpp); $ROOT is the repository.  Where output cannot be the same every
// time or everywhere, the transcript has <hash> for 16 or more hexadecimal digits, <number> for a
// number, <word> for anything without a blank, and <...> for the rest of the line.
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/toy_yard.hpp"

#ifndef TOKENYARD_PROGRAM
#define TOKENYARD_PROGRAM ""
#endif

namespace tokenyard::test {

inline std::string program_path() {
  const std::string built = TOKENYARD_PROGRAM;
  const char* given = std::getenv("TOKENYARD_PROGRAM");
  return built.empty() && given != nullptr ? given : built;
}

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct CommandEnd {
  std::string out, err;
  int code = 0;
};

// Runs shell commands in a toy yard, with the built program as `tokenyard`.
class Shell {
 public:
  Shell() {
    std::filesystem::create_directories(yard_.file(".run"));
    yard_.write("toy.yaml",
                kToyScenario +
                    "serving:\n  host: {per_step: 0 s, per_sequence: 0 s, per_request: 0 s, "
                    "per_input_token: 0 s}\n");
    std::filesystem::create_symlink(program_path(), yard_.file(".run/tokenyard"));
  }
  CommandEnd run(const std::string& command) const {
    yard_.write(".run/command", command);
    const std::string shell =
        "cd '" + yard_.file("") +
        "' && env -u TOKENYARD_DATA -u TOKENYARD_CATALOG LC_ALL=C ROOT='" + TOKENYARD_SOURCE_DIR +
        "' PATH=\"$PWD/.run:$PATH\" sh .run/command > .run/out 2> .run/err " + "< /dev/null";
    const int status = std::system(shell.c_str());
    return {shortened(text_of(yard_.file(".run/out"))), shortened(text_of(yard_.file(".run/err"))),
            WIFEXITED(status) ? WEXITSTATUS(status) : -1};
  }
  [[nodiscard]] const ToyYard& yard() const { return yard_; }

 private:
  [[nodiscard]] std::string shortened(std::string text) const {
    const std::string root = TOKENYARD_SOURCE_DIR;
    for (std::size_t at = 0; (at = text.find(root, at)) != std::string::npos;)
      text.replace(at, root.size(), "$ROOT");
    return yard_.shortened(std::move(text));
  }

  ToyYard yard_;
};

// Whether a line is as the transcript says, placeholders taken for what they stand for.
inline bool line_matches(const std::string& line, const std::string& expected) {
  if (expected.find('<') == std::string::npos) return line == expected;
  static const std::regex kSpecial(R"([.^$|()\[\]{}*+?\\])");
  std::string pattern = std::regex_replace(expected, kSpecial, R"(\$&)");
  const auto stand_for = [&](const std::string& placeholder, const std::string& what) {
    for (std::size_t at = 0; (at = pattern.find(placeholder, at)) != std::string::npos;)
      pattern.replace(at, placeholder.size(), what);
  };
  stand_for("<hash>", "[0-9a-f]{16,}");
  stand_for("<number>", R"([-+0-9.e]+)");
  stand_for("<word>", R"([^ ]+)");
  stand_for(R"(<\.\.\.>)", ".*");
  return std::regex_match(line, std::regex(pattern));
}

// The transcript with every command run again.  Lines that match their placeholders are taken over,
// so that the result equals the transcript exactly when all is as it says.
inline std::string replayed(const std::string& transcript) {
  const Shell shell;
  std::string text;
  const std::vector<std::string> lines = lines_of(transcript);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("$ ")) {
      // Anything else is a line that was expected and did not come.
      if (lines[i].starts_with("#") || lines[i].empty()) text += lines[i] + '\n';
      continue;
    }
    text += lines[i] + '\n';
    const CommandEnd end = shell.run(lines[i].substr(2));
    std::vector<std::string> actual = lines_of(end.out);
    for (const std::string& line : lines_of(end.err)) actual.push_back("! " + line);
    if (end.code != 0) actual.push_back('[' + std::to_string(end.code) + ']');
    for (const std::string& line : actual) {
      const bool expected = i + 1 < lines.size() && line_matches(line, lines[i + 1]);
      text += (expected ? lines[i + 1] : line) + '\n';
      if (i + 1 < lines.size() && !lines[i + 1].starts_with("$ ")) ++i;
    }
    // Lines that were expected and did not come.
    while (i + 1 < lines.size() && !lines[i + 1].starts_with("$ ") &&
           !lines[i + 1].starts_with("# ") && !lines[i + 1].empty()) {
      ++i;
    }
  }
  return text;
}

}  // namespace tokenyard::test
