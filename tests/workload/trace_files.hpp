#pragma once
// What the tests of this room share: small files, whole messages, whole streams.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "workload/workload.hpp"

namespace tokenyard::workload {

// A folder of this test alone, removed at its end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tokenyard-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return file(name);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline WorkloadSpec read_workload(const std::string& yaml) {
  Diagnostics diagnostics;
  const input::Node node = input::parse_yaml(yaml, "w.yaml", diagnostics);
  diagnostics.throw_if_any();
  input::ReadContext context{
      .diagnostics = &diagnostics, .default_source = {}, .default_confidence = {}};
  WorkloadSpec spec;
  input::read_value(context, node, spec);
  diagnostics.throw_if_any();
  return spec;
}

inline WorkloadSpec load_workload(const std::string& path) {
  Diagnostics diagnostics;
  const input::Node node = input::load_yaml(path, diagnostics);
  diagnostics.throw_if_any();
  input::ReadContext context{
      .diagnostics = &diagnostics, .default_source = {}, .default_confidence = {}};
  WorkloadSpec spec;
  input::read_value(context, node, spec);
  diagnostics.throw_if_any();
  return spec;
}

inline WorkloadSpec trace_of(const std::string& file, TraceFormat format = TraceFormat::native) {
  WorkloadSpec spec;
  spec.trace = TraceSpec{};
  spec.trace->file = file;
  spec.trace->format = format;
  if (format == TraceFormat::coding_agents) spec.trace->sessions_per_hour = 60.0;
  return spec;
}

inline std::vector<Request> all_of(RequestStream& stream) {
  std::vector<Request> requests;
  for (Request r; stream.next(r);) requests.push_back(r);
  return requests;
}

inline std::vector<Request> all_of(const WorkloadSpec& spec, const OpenOptions& options = {}) {
  return all_of(*open_stream(spec, options));
}

// The whole message of the InputError that `f` throws, or "" when it throws none.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

// The folder with the public traces, when it is there.
inline std::optional<std::string> real_data() {
  const char* given = std::getenv("TOKENYARD_DATA");
  const std::filesystem::path folder =
      given != nullptr ? given
                       : std::filesystem::path(TOKENYARD_SOURCE_DIR) / ".." / "shared" / "data";
  if (!std::filesystem::exists(folder / "traces")) return std::nullopt;
  return folder.string();
}

}  // namespace tokenyard::workload
