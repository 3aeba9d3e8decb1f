#pragma once
// A verb of the program, and the list of all of them.
#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace tokenyard::cli {

// 0 done; 1 done, and the answer is no; 2 the input is wrong; 3 something of ours broke; 130
// interrupted.
enum ExitCode { kDone = 0, kAnswerIsNo = 1, kBadInput = 2, kBroken = 3, kInterrupted = 130 };

struct Command {
  std::string name;
  std::string synopsis;  // what follows the name: "SCENARIO... [options]"
  std::string summary;   // one line
  std::vector<Option> options;
  int (*run)(const Arguments& arguments);
};

// In the order they are shown.
const std::vector<Command>& all_commands();

Command run_command();
Command explain_command();
Command audit_command();
Command validate_command();
Command calibrate_command();
Command query_command();
Command catalog_command();
Command trace_command();
Command schema_command();
Command metrics_command();

// Options that several commands take.
Option catalog_option();
Option format_option();
Option set_option();

}  // namespace tokenyard::cli
