#include <algorithm>
#include <iostream>

#include "base/error.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"

namespace tokenyard::cli {
namespace {

std::string overview() {
  std::string text =
      "tokenyard: which hardware, how much of it, run how, serves a language-model workload at its "
      "service\n"
      "level for the least money and power, and what is holding it back?\n\nusage: tokenyard "
      "COMMAND ...\n\n";
  std::size_t width = 0;
  for (const Command& command : all_commands()) width = std::max(width, command.name.size());
  for (const Command& command : all_commands()) {
    text += "  " + command.name + std::string(width + 2 - command.name.size(), ' ') +
            command.summary + '\n';
  }
  return text + "\n'tokenyard COMMAND --help' says more about each.\n";
}

std::string help(const Command& command) {
  return "usage: tokenyard " + command.name + ' ' + command.synopsis + "\n\n" + command.summary +
         ".\n\n" + options_help(command.options);
}

// The problems, and for files what that means.
void print_problems(const InputError& error, const std::string& verb) {
  std::cerr << error.what() << '\n';
  std::vector<std::string> files;
  for (const Diagnostic& d : error.diagnostics()) {
    if (!d.place.file.empty() &&
        std::find(files.begin(), files.end(), d.place.file) == files.end()) {
      files.push_back(d.place.file);
    }
  }
  if (files.empty()) return;
  const std::size_t errors = error.diagnostics().size();
  std::cerr << "tokenyard: " << errors << (errors == 1 ? " error in " : " errors in ")
            << files.size() << (files.size() == 1 ? " file" : " files")
            << (verb == "run" ? "; nothing was simulated\n" : "\n");
}

int dispatch(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "--help";
  if (verb == "--help" || verb == "-h" || verb == "help") {
    print(overview());
    return argc > 1 ? kDone : kBadInput;
  }
  if (verb == "--version") {
    print("tokenyard " TOKENYARD_VERSION "\n");
    return kDone;
  }
  std::vector<std::string> names;
  for (const Command& command : all_commands()) {
    names.push_back(command.name);
    if (command.name != verb) continue;
    const auto wants_help = [](const std::string& a) { return a == "--help" || a == "-h"; };
    if (std::any_of(argv + 2, argv + argc, wants_help)) {
      print(help(command));
      return kDone;
    }
    return command.run(Arguments(command.options, argc - 1, argv + 1));
  }
  throw InputError("'" + verb + "' is no command" + suggestion(verb, names));
}

}  // namespace
}  // namespace tokenyard::cli

int main(int argc, char** argv) {
  using namespace tokenyard;
  try {
    return cli::dispatch(argc, argv);
  } catch (const InputError& error) {
    cli::print_problems(error, argc > 1 ? argv[1] : "");
    return cli::kBadInput;
  } catch (const std::exception& error) {
    std::cerr << "tokenyard: " << error.what() << '\n';
    return cli::kBroken;
  }
}
