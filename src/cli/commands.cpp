#include "cli/command.hpp"

namespace tokenyard::cli {

const std::vector<Command>& all_commands() {
  static const std::vector<Command> kCommands{
      run_command(),   explain_command(), audit_command(), validate_command(), calibrate_command(),
      query_command(), catalog_command(), trace_command(), schema_command(),   metrics_command()};
  return kCommands;
}

Option catalog_option() {
  return {"catalog", "DIR",
          "folder that holds hardware_catalog/ and workloads/; default: found upwards from here",
          ""};
}

Option format_option() {
  return {"format", "NAME", "table, csv, markdown or json", "table"};
}

Option set_option() {
  return {"set", "PATH=VALUE", "overrides a value of the scenario; may be repeated", ""};
}

}  // namespace tokenyard::cli
