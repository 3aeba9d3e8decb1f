#include "catalog/catalog.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>

#include "catalog/entry.hpp"
#include "catalog/overlay.hpp"

namespace tokenyard::catalog {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "hardware_catalog";  // the folder that makes a directory a root
constexpr std::string_view kEnding = ".yaml";

fs::path folder_of(const std::string& root, EntryKind kind) {
  constexpr std::array<std::string_view, 6> kFolders = {
      "hardware_catalog/devices", "hardware_catalog/nodes", "hardware_catalog/fabrics",
      "hardware_catalog/sites",   "workloads/models",       "hardware_catalog/calibrations"};
  return fs::path(root) / kFolders[static_cast<std::size_t>(kind)];
}

fs::path formats_path(const std::string& root) {
  return fs::path(root) / "workloads/formats.yaml";
}

// "./hardware_catalog/x" as people write it: "hardware_catalog/x".
std::string tidy(const fs::path& path) {
  return path.lexically_normal().string();
}

void check_file_name(const input::Node& root, const std::string& name, Diagnostics& diagnostics) {
  const input::Node* written = root.find("name");
  if (written == nullptr || written->kind != input::Node::Kind::scalar || written->scalar == name)
    return;
  diagnostics.add(written->place, written->path,
                  "'" + written->scalar + "' stands in a file called '" + name +
                      std::string(kEnding) + "'; the two must agree");
}

void check_format_keys(const input::Node& map, const std::vector<std::string>& formats,
                       Diagnostics& diagnostics) {
  for (const input::Node::Entry& entry : map.entries) {
    if (std::find(formats.begin(), formats.end(), entry.key) != formats.end()) continue;
    diagnostics.add(entry.place, map.path,
                    "no number format '" + entry.key + "' in workloads/formats.yaml" +
                        suggestion(entry.key, formats));
  }
}

// A misspelt format in `peak` would otherwise be a peak that no deployment ever asks for.
void check_device_formats(const input::Node& root, const std::vector<std::string>& formats,
                          Diagnostics& diagnostics) {
  if (const input::Node* engines = root.find("engines")) {
    for (const input::Node& engine : engines->items) {
      if (const input::Node* peak = engine.find("peak"))
        check_format_keys(*peak, formats, diagnostics);
    }
  }
  const input::Node* power = root.find("power");
  const input::Node* energy = power != nullptr ? power->find("energy_per_flop") : nullptr;
  if (energy != nullptr) check_format_keys(*energy, formats, diagnostics);
}

void check_calibrated_formats(const input::Node& root, const std::vector<std::string>& formats,
                              Diagnostics& diagnostics) {
  const input::Node* devices = root.find("devices");
  if (devices == nullptr) return;
  for (const input::Node& device : devices->items) {
    if (const input::Node* compute = device.find("compute"))
      check_format_keys(*compute, formats, diagnostics);
  }
}

// Reads one file into `out`; false, and the reasons in `diagnostics`, when it has errors.
template <class T>
bool read_file(const std::string& path, T& out, input::Node& root, input::BandEnd unknowns,
               Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.list().size();
  root = input::load_yaml(path, diagnostics);
  const bool loaded = diagnostics.list().size() == before;
  // What is left of a broken file is read all the same, to report its other mistakes as well.
  if (!loaded && root.kind == input::Node::Kind::null) return false;
  apply_overlay(root, path, diagnostics);
  if (root.kind == input::Node::Kind::null) return false;
  input::ReadContext context{.diagnostics = &diagnostics,
                             .default_source = {},
                             .default_confidence = {},
                             .unknowns = unknowns};
  return input::read_value(context, root, out) && loaded;
}

std::optional<std::string> root_above(fs::path directory) {
  std::error_code error;
  while (true) {
    if (fs::is_directory(directory / kMark, error)) return directory.string();
    if (!directory.has_relative_path()) return std::nullopt;
    directory = directory.parent_path();
  }
}

// An installed program keeps its catalog in ../share/tokenyard beside the folder it runs from.
std::optional<std::string> root_of_installation() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return std::nullopt;
  const fs::path shared = program.parent_path().parent_path() / "share" / "tokenyard";
  if (!fs::is_directory(shared / kMark, error)) return std::nullopt;
  return shared.string();
}

std::string required_root(const std::string& directory, const std::string& who) {
  std::error_code error;
  if (fs::is_directory(fs::path(directory) / kMark, error)) return directory;
  throw InputError(who + " '" + directory + "' holds no folder 'hardware_catalog'");
}

}  // namespace

Catalog::Catalog(std::string root, input::BandEnd unknowns)
    : root_(std::move(root)), unknowns_(unknowns) {}

std::vector<std::string> Catalog::names(EntryKind kind) const {
  std::vector<std::string> found;
  std::error_code error;
  for (const fs::directory_entry& file : fs::directory_iterator(folder_of(root_, kind), error)) {
    if (file.path().extension() != kEnding) continue;
    const std::string name = file.path().stem().string();
    if (exists(kind, name)) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string Catalog::path_of(EntryKind kind, const std::string& name) const {
  check(is_plain_name(name), "a catalog path was asked for a name that is not plain");
  return tidy(folder_of(root_, kind) / (name + std::string(kEnding)));
}

bool Catalog::exists(EntryKind kind, const std::string& name) const {
  std::error_code error;
  return is_plain_name(name) && fs::is_regular_file(path_of(kind, name), error);
}

template <class T>
const T* Catalog::load(std::map<std::string, std::unique_ptr<T>>& cache, EntryKind kind,
                       const std::string& name, Diagnostics& diagnostics) {
  if (const auto known = cache.find(name); known != cache.end()) return known->second.get();
  if (!exists(kind, name)) return nullptr;
  const std::size_t before = diagnostics.list().size();
  auto entry = std::make_unique<T>();
  input::Node root;
  read_file(path_of(kind, name), *entry, root, unknowns_, diagnostics);
  check_file_name(root, name, diagnostics);
  // A catalog of devices alone, without a table of formats, is left to whoever needs a format.
  if (std::error_code error; fs::exists(formats_path(root_), error)) {
    if (kind == EntryKind::device)
      check_device_formats(root, format_names(diagnostics), diagnostics);
    if (kind == EntryKind::calibration)
      check_calibrated_formats(root, format_names(diagnostics), diagnostics);
  }
  // A file with errors stays in the cache as nothing, so that they are reported once.
  if (diagnostics.list().size() != before) entry.reset();
  return cache.emplace(name, std::move(entry)).first->second.get();
}

const Device* Catalog::device(const std::string& name, Diagnostics& diagnostics) {
  return load(devices_, EntryKind::device, name, diagnostics);
}

const NodeSpec* Catalog::node(const std::string& name, Diagnostics& diagnostics) {
  return load(nodes_, EntryKind::node, name, diagnostics);
}

const FabricSpec* Catalog::fabric(const std::string& name, Diagnostics& diagnostics) {
  return load(fabrics_, EntryKind::fabric, name, diagnostics);
}

const Site* Catalog::site(const std::string& name, Diagnostics& diagnostics) {
  return load(sites_, EntryKind::site, name, diagnostics);
}

const Model* Catalog::model(const std::string& name, Diagnostics& diagnostics) {
  return load(models_, EntryKind::model, name, diagnostics);
}

const Calibration* Catalog::calibration(const std::string& name, Diagnostics& diagnostics) {
  return load(calibrations_, EntryKind::calibration, name, diagnostics);
}

std::vector<const Calibration*> Catalog::calibrations(Diagnostics& diagnostics) {
  std::vector<const Calibration*> found;
  for (const std::string& name : names(EntryKind::calibration)) {
    if (const Calibration* one = calibration(name, diagnostics)) found.push_back(one);
  }
  std::sort(found.begin(), found.end(),
            [](const Calibration* a, const Calibration* b) { return is_newer(*a, *b); });
  return found;
}

std::vector<const Calibration*> Catalog::readable_calibrations() {
  std::set<std::string> known;
  for (const auto& [name, entry] : calibrations_) known.insert(name);
  Diagnostics unreported;
  const std::vector<const Calibration*> found = calibrations(unreported);
  // Read again, and reported, when somebody asks for it.
  std::erase_if(calibrations_, [&](const auto& entry) {
    return entry.second == nullptr && known.count(entry.first) == 0;
  });
  return found;
}

std::vector<std::string> Catalog::format_names(Diagnostics& diagnostics) {
  if (!formats_) {
    formats_ = std::make_unique<FormatTable>();
    input::Node root;
    if (!read_file(tidy(formats_path(root_)), *formats_, root, unknowns_, diagnostics)) {
      formats_->formats.clear();
    }
  }
  return names_in(formats_->formats, &NumberFormat::name);
}

const NumberFormat* Catalog::format(const std::string& name, Diagnostics& diagnostics) {
  format_names(diagnostics);
  for (const NumberFormat& format : formats_->formats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

std::string find_catalog_root(const std::string& given) {
  if (!given.empty()) return required_root(given, "the catalog directory");
  if (const char* variable = std::getenv("TOKENYARD_CATALOG");
      variable != nullptr && *variable != '\0') {
    return required_root(variable, "the directory in TOKENYARD_CATALOG,");
  }
  std::error_code error;
  const fs::path here = fs::current_path(error);
  if (fs::is_directory(kMark, error)) return ".";
  if (const auto above = root_above(here)) return *above;
  if (const auto installed = root_of_installation()) return *installed;
#ifdef TOKENYARD_SOURCE_DIR
  if (fs::is_directory(fs::path(TOKENYARD_SOURCE_DIR) / kMark, error)) return TOKENYARD_SOURCE_DIR;
#endif
  throw InputError("no folder 'hardware_catalog' at or above '" + here.string() +
                   "'; run from inside the project, or name its directory in TOKENYARD_CATALOG");
}

}  // namespace tokenyard::catalog
