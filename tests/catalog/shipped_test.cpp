#include <doctest/doctest.h>

#include <algorithm>

#include "catalog/catalog.hpp"
#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

// A written number has at least its file's source; one without is a default, which must pass as an
// assumption.
template <class T>
std::vector<std::string> numbers_without_source(const T& entry) {
  std::vector<std::string> paths;
  for (const input::SourcedNumber& number : input::sourced_numbers(entry)) {
    if (number.source.empty() && number.confidence != input::Confidence::assumed)
      paths.push_back(number.path);
  }
  return paths;
}

template <class Load>
void check_all(EntryKind kind, std::size_t at_least, Load load) {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  const std::vector<std::string> names = catalog.names(kind);
  CHECK(names.size() >= at_least);
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto* entry = load(catalog, name, diagnostics);
    REQUIRE(entry != nullptr);
    CHECK(numbers_without_source(*entry).empty());
    CHECK_FALSE(entry->source.empty());
    CHECK_FALSE(entry->description.empty());
  }
  CHECK(shown(diagnostics).empty());
}

}  // namespace

TEST_CASE(
    "every shipped device, node, fabric, site and model loads, and every number in it has a "
    "source or is a default") {
  check_all(EntryKind::device, 9,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.device(n, d); });
  check_all(EntryKind::node, 9,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.node(n, d); });
  check_all(EntryKind::fabric, 2,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.fabric(n, d); });
  check_all(EntryKind::site, 2,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.site(n, d); });
  check_all(EntryKind::model, 16,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.model(n, d); });
}

TEST_CASE("devices that can be bought stay within the bounds of physics") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  for (const std::string& name : catalog.names(EntryKind::device)) {
    const Device* device = catalog.device(name, diagnostics);
    REQUIRE(device != nullptr);
    if (device->status != DeviceStatus::shipping) continue;
    for (const Finding& finding : check_device(*device))
      FAIL_CHECK(name << ": " << finding.message);
  }
  CHECK(shown(diagnostics).empty());
}

TEST_CASE("shipped nodes are complete: devices, links, host memory and a price of node or parts") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  for (const std::string& name : catalog.names(EntryKind::node)) {
    const NodeSpec* node = catalog.node(name, diagnostics);
    REQUIRE(node != nullptr);
    for (const Finding& finding : check_node(*node, catalog, diagnostics)) {
      FAIL_CHECK(name << ": " << finding.message);
    }
  }
  CHECK(shown(diagnostics).empty());
}

TEST_CASE("every shipped price is given with a band") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  for (const std::string& name : catalog.names(EntryKind::device)) {
    CAPTURE(name);
    const Device* device = catalog.device(name, diagnostics);
    REQUIRE(device != nullptr);
    if (device->price) CHECK((device->price->low && device->price->high));
  }
  for (const std::string& name : catalog.names(EntryKind::node)) {
    CAPTURE(name);
    const NodeSpec* node = catalog.node(name, diagnostics);
    REQUIRE(node != nullptr);
    if (node->price) CHECK((node->price->low && node->price->high));
  }
}

TEST_CASE("every shipped format states its effective bits, scales included") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  const std::vector<std::string> formats = catalog.format_names(diagnostics);
  REQUIRE(formats.size() >= 7);
  CHECK(catalog.format("nvfp4", diagnostics)->bits.value == 4.0 + 8.0 / 16.0);
  CHECK(catalog.format("mxfp4", diagnostics)->bytes() == (4.0 + 8.0 / 32.0) / 8.0);
  CHECK(catalog.format("no-such", diagnostics) == nullptr);
  for (const std::string& name : formats) {
    CAPTURE(name);
    CHECK_FALSE(catalog.format(name, diagnostics)->bits.source.empty());
  }
  CHECK(shown(diagnostics).empty());
}

TEST_CASE("every shipped device can multiply its usual weights, and states what that takes") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  for (const std::string& name : catalog.names(EntryKind::device)) {
    CAPTURE(name);
    const Device* device = catalog.device(name, diagnostics);
    REQUIRE(device != nullptr);
    const UsualFormats& usual = device->usual_formats;
    CHECK(catalog.format(usual.kv, diagnostics) != nullptr);
    CHECK(catalog.format(usual.activations, diagnostics) != nullptr);
    const NumberFormat* weights = catalog.format(usual.weights, diagnostics);
    REQUIRE(weights != nullptr);
    for (const Engine& engine : device->engines) {
      CAPTURE(engine.name);
      const auto usable =
          std::find_if(weights->math.begin(), weights->math.end(),
                       [&](const std::string& math) { return engine.peak.count(math) == 1; });
      REQUIRE(usable != weights->math.end());
      CHECK(device->power.energy_per_flop.count(*usable) == 1);
    }
  }
  CHECK(shown(diagnostics).empty());
}

TEST_CASE("a number written short has the file's source, one written long has its own") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  const Device* h100 = catalog.device("nvidia-h100-sxm5-80gb", diagnostics);
  REQUIRE(h100 != nullptr);
  const auto& peak = h100->engines[0].peak.at("bf16");
  CHECK(peak.value == teraflops_per_second(989));
  CHECK(peak.source == h100->source);
  CHECK(peak.confidence == input::Confidence::vendor);
  CHECK(h100->price->confidence == input::Confidence::estimate);
  CHECK(h100->price->source != h100->source);
  CHECK(*h100->price->low == usd(25e3));
}

}  // namespace tokenyard::catalog
