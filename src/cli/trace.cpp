#include <algorithm>
#include <filesystem>

#include "catalog/catalog.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "input/fields.hpp"
#include "workload/native_format.hpp"
#include "workload/trace_stats.hpp"
#include "workload/workload.hpp"

namespace tokenyard::cli {
namespace {

namespace fs = std::filesystem;

// A workload file (.yaml), or a trace file with its --input-format.
std::unique_ptr<workload::RequestStream> open(const std::string& path, const Arguments& arguments) {
  workload::WorkloadSpec spec;
  workload::OpenOptions options;
  options.directory = fs::path(path).parent_path().string();
  options.fallback = catalog::find_catalog_root(arguments.text("catalog"));
  options.seed = static_cast<std::uint64_t>(arguments.integer("seed", 0));
  const std::string extension = fs::path(path).extension().string();
  Diagnostics diagnostics;
  if (extension == ".yaml" || extension == ".yml") {
    const input::Node node = input::load_yaml(path, diagnostics);
    diagnostics.throw_if_any();
    input::ReadContext context{&diagnostics, "", std::nullopt};
    input::read_value(context, node, spec);
    diagnostics.throw_if_any();
  } else {
    workload::TraceSpec trace;
    trace.file = fs::absolute(path).string();
    const std::string name = arguments.text("input-format");
    const auto names = input::names_of<workload::TraceFormat>();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw InputError("--input-format: '" + name + "' is no trace format" +
                       suggestion(name, names));
    trace.format = static_cast<workload::TraceFormat>(found - names.begin());
    if (arguments.has("sessions-per-hour")) {
      trace.sessions_per_hour = static_cast<double>(arguments.integer("sessions-per-hour", 1));
    }
    spec.name = fs::path(path).stem().string();
    spec.trace = trace;
  }
  if (spec.trace && arguments.has("skip-bad-lines")) spec.trace->skip_bad_lines = true;
  return workload::open_stream(spec, options);
}

std::optional<std::int64_t> limit_of(const Arguments& arguments) {
  if (!arguments.has("requests")) return std::nullopt;
  return arguments.integer("requests", 1);
}

int stats(const std::string& path, const Arguments& arguments) {
  const auto stream = open(path, arguments);
  const workload::TraceStats found = workload::compute_stats(*stream, limit_of(arguments));
  Table table{{"what", "value", "unit"}, {}};
  for (const workload::StatsRow& row : found.rows())
    table.rows.push_back({row.name, row.value, row.unit});
  print_table(table, arguments);
  return kDone;
}

// Written beside the target first, so that an error leaves no half-written trace.
int convert(const std::string& from, const std::string& to, const Arguments& arguments) {
  if (fs::exists(to)) throw InputError(to + " exists; name a new file");
  const auto stream = open(from, arguments);
  const bool packed = fs::path(to).extension() == ".zst";
  const std::string partial = to + (packed ? ".partial.zst" : ".partial");
  std::int64_t written = 0;
  try {
    written = workload::write_native(*stream, partial, limit_of(arguments));
  } catch (...) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw;
  }
  fs::rename(partial, to);
  std::string text = std::to_string(written) + " requests written to " + to;
  if (stream->skipped_lines() > 0)
    text += ", " + std::to_string(stream->skipped_lines()) + " bad lines skipped";
  print(text + '\n');
  return kDone;
}

int run(const Arguments& arguments) {
  const auto& words = arguments.operands();
  if (words.size() == 2 && words[0] == "stats") return stats(words[1], arguments);
  if (words.size() == 3 && (words[0] == "convert" || words[0] == "generate"))
    return convert(words[1], words[2], arguments);
  const std::string action = words.empty() ? "" : words[0];
  throw InputError("trace: expected stats FILE, convert FILE OUT or generate WORKLOAD OUT" +
                   (action.empty() ? ""
                                   : "; found '" + action + "' with " +
                                         std::to_string(words.size() - 1) + " files"));
}

}  // namespace

Command trace_command() {
  return {"trace",
          "stats FILE | convert FILE OUT | generate WORKLOAD OUT [options]",
          "describes a trace or workload, writes it in the native format (.jsonl or .jsonl.zst)",
          {{"input-format", "NAME", "of a trace file: native, mooncake, azure, coding-agents",
            "native"},
           {"requests", "N", "reads or makes only so many requests", ""},
           {"seed", "N", "of generators", "1"},
           {"sessions-per-hour", "N", "arrivals of sessions, for traces that hold none", ""},
           {"skip-bad-lines", "", "counts malformed lines instead of stopping at the first", ""},
           {"json", "", "short for --format json", ""},
           format_option(),
           catalog_option()},
          run};
}

}  // namespace tokenyard::cli
