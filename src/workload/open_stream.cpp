#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/error.hpp"
#include "workload/generators.hpp"
#include "workload/readers.hpp"
#include "workload/workload.hpp"

namespace tokenyard::workload {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> candidates(const std::string& file, const OpenOptions& options) {
  if (fs::path(file).is_absolute()) return {file};
  std::vector<std::string> paths;
  const auto add = [&](const fs::path& directory) {
    const std::string path = (directory / file).lexically_normal().string();
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  };
  add(options.directory);
  add(options.fallback);
  if (const char* data = std::getenv("TOKENYARD_DATA"); data != nullptr && *data != '\0') {
    add(fs::path(data) / "traces");
    add(data);
  }
  return paths;
}

std::unique_ptr<RequestStream> open_trace(const TraceSpec& trace, const std::string& path,
                                          const OpenOptions& options) {
  switch (trace.format) {
    case TraceFormat::native:
      return read_native_trace(trace, path, options.rate_scale);
    case TraceFormat::mooncake:
      return read_mooncake_trace(trace, path, options.rate_scale);
    case TraceFormat::azure:
      return read_azure_trace(trace, path, options.rate_scale);
    case TraceFormat::coding_agents:
      return read_coding_agents_trace(trace, path, options.rate_scale, options.seed);
  }
  throw InternalError("unknown trace format");
}

}  // namespace

std::string trace_path(const WorkloadSpec& spec, const OpenOptions& options) {
  if (!spec.trace) return "";
  const std::vector<std::string> paths = candidates(spec.trace->file, options);
  std::string tried;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::exists(path, error)) return path;
    tried += "\n  " + path;
  }
  std::string message = "there is no trace '" + spec.trace->file + "'; looked for:" + tried;
  if (std::getenv("TOKENYARD_DATA") == nullptr) {
    message += "\nset TOKENYARD_DATA to the folder that holds your traces";
  }
  if (!spec.source.empty()) message += "\nits source: " + spec.source;
  throw InputError(message);
}

std::unique_ptr<RequestStream> open_stream(const WorkloadSpec& spec, const OpenOptions& options) {
  check(spec.trace.has_value() != spec.generator.has_value(),
        "a workload is one of trace and generator");
  check(options.rate_scale > 0, "the scale of an arrival rate must be positive");
  if (spec.trace) return open_trace(*spec.trace, trace_path(spec, options), options);
  if (spec.generator->kind == GeneratorKind::agents) {
    return make_agents(*spec.generator, options.seed, options.rate_scale);
  }
  return make_independent(*spec.generator, options.seed, options.rate_scale);
}

}  // namespace tokenyard::workload
