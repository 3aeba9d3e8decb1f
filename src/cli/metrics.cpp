#include "cli/command.hpp"
#include "cli/output.hpp"
#include "metrics/metric_table.hpp"

namespace tokenyard::cli {
namespace {

int run(const Arguments& arguments) {
  print_table(metrics::metric_listing(), arguments);
  return kDone;
}

}  // namespace

Command metrics_command() {
  return {"metrics",
          "[options]",
          "lists every metric: name, unit, which way is better, definition",
          {{"json", "", "short for --format json", ""}, format_option()},
          run};
}

}  // namespace tokenyard::cli
