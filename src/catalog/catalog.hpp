#pragma once
// The catalog: finds entries by name in a directory tree and reads them on first use.
//
// Layout: ROOT/hardware_catalog/{devices,nodes,fabrics,sites,calibrations}/NAME.yaml,
// ROOT/workloads/models/NAME.yaml, ROOT/workloads/formats.yaml.  A file's `name` must be its file
// name.  Names are plain: letters, digits, '.', '-' and '_'; a name can never lead out of its
// folder.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catalog/calibration.hpp"
#include "catalog/device.hpp"
#include "catalog/fabric.hpp"
#include "catalog/model.hpp"
#include "catalog/node.hpp"
#include "catalog/number_format.hpp"
#include "catalog/site.hpp"

namespace tokenyard::catalog {

enum class EntryKind { device, node, fabric, site, model, calibration };
constexpr auto enum_names(EntryKind) {
  return std::array<std::string_view, 6>{"device", "node",  "fabric",
                                         "site",   "model", "calibration"};
}

class Catalog {
 public:
  // unknowns: which end of its band a number stands for that nobody has published.
  explicit Catalog(std::string root, input::BandEnd unknowns = input::BandEnd::middle);

  // Names of all entries of a kind, sorted.
  [[nodiscard]] std::vector<std::string> names(EntryKind kind) const;
  [[nodiscard]] std::string path_of(EntryKind kind, const std::string& name) const;

  // The entry, or nullptr when the name is unknown or its file has errors.  Errors inside the
  // entry's file go to `diagnostics`, once.  An unknown name is the caller's to report (it knows
  // the place). Entries live as long as the catalog.
  const Device* device(const std::string& name, Diagnostics& diagnostics);
  const NodeSpec* node(const std::string& name, Diagnostics& diagnostics);
  const FabricSpec* fabric(const std::string& name, Diagnostics& diagnostics);
  const Site* site(const std::string& name, Diagnostics& diagnostics);
  const Model* model(const std::string& name, Diagnostics& diagnostics);
  const Calibration* calibration(const std::string& name, Diagnostics& diagnostics);
  // All of them that have no errors, the newest first.
  std::vector<const Calibration*> calibrations(Diagnostics& diagnostics);
  // The same, for those who do not use them: errors are left to be reported to those who do.
  std::vector<const Calibration*> readable_calibrations();
  const NumberFormat* format(const std::string& name, Diagnostics& diagnostics);
  std::vector<std::string> format_names(Diagnostics& diagnostics);

  [[nodiscard]] bool exists(EntryKind kind, const std::string& name) const;
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  template <class T>
  const T* load(std::map<std::string, std::unique_ptr<T>>& cache, EntryKind kind,
                const std::string& name, Diagnostics& diagnostics);

  std::string root_;
  input::BandEnd unknowns_;
  std::map<std::string, std::unique_ptr<Device>> devices_;
  std::map<std::string, std::unique_ptr<NodeSpec>> nodes_;
  std::map<std::string, std::unique_ptr<FabricSpec>> fabrics_;
  std::map<std::string, std::unique_ptr<Site>> sites_;
  std::map<std::string, std::unique_ptr<Model>> models_;
  std::map<std::string, std::unique_ptr<Calibration>> calibrations_;
  std::unique_ptr<FormatTable> formats_;
};

// The directory that holds hardware_catalog/: `given` when not empty, else $TOKENYARD_CATALOG, else
// the nearest one at or above the working directory, else the one installed with the program
// (../share/tokenyard), else the one the program was built from.  Throws InputError when there is
// none.
std::string find_catalog_root(const std::string& given);

// What does not hold physically or does not add up in an entry: parameter counts off by more than 1
// %, bounds of physics (devices), names that lead nowhere (nodes, calibrations) and prices that
// cannot be (nodes).  Empty when all is well.  A published active count may include the rows of the input embedding or not:
// the nearer of the two countings is compared.
struct Finding {
  std::string entry;
  std::string message;
  bool error = false;  // false: loaded and marked; true: the entry is wrong
};
std::vector<Finding> check_model(const Model& model);
std::vector<Finding> check_device(const Device& device);
std::vector<Finding> check_node(const NodeSpec& node, Catalog& catalog, Diagnostics& diagnostics);
std::vector<Finding> check_calibration(const Calibration& calibration, Catalog& catalog,
                                       Diagnostics& diagnostics);

}  // namespace tokenyard::catalog
