#include <doctest/doctest.h>

#include <algorithm>

#include "catalog/catalog.hpp"
#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

// A Sourced number without a source is dumped with this text.
bool every_number_has_a_source(const std::string& json) {
  return json.find(R"("source":"")") == std::string::npos;
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
    CHECK(every_number_has_a_source(input::dump_json(*entry)));
    CHECK_FALSE(entry->description.empty());
  }
  CHECK(shown(diagnostics).empty());
}

}  // namespace

TEST_CASE(
    "every shipped device, node, fabric, site and model loads, and every number in it has a "
    "source") {
  check_all(EntryKind::device, 9,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.device(n, d); });
  check_all(EntryKind::node, 9,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.node(n, d); });
  check_all(EntryKind::fabric, 2,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.fabric(n, d); });
  check_all(EntryKind::site, 2,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.site(n, d); });
  check_all(EntryKind::model, 8,
            [](Catalog& c, const std::string& n, Diagnostics& d) { return c.model(n, d); });
}

TEST_CASE("shipped devices stay within the bounds of physics") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  for (const std::string& name : catalog.names(EntryKind::device)) {
    const Device* device = catalog.device(name, diagnostics);
    REQUIRE(device != nullptr);
    for (const Finding& finding : check_device(*device))
      FAIL_CHECK(name << ": " << finding.message);
  }
  CHECK(shown(diagnostics).empty());
}

TEST_CASE("shipped nodes are complete: devices, links, host memory and a price") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  for (const std::string& name : catalog.names(EntryKind::node)) {
    const NodeSpec* node = catalog.node(name, diagnostics);
    REQUIRE(node != nullptr);
    for (const Finding& finding : check_node(*node, catalog, diagnostics)) {
      FAIL_CHECK(name << ": " << finding.message);
    }
    CHECK(node->price.has_value());
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
    REQUIRE(device->price);
    CHECK((device->price->low && device->price->high));
  }
  for (const std::string& name : catalog.names(EntryKind::node)) {
    CAPTURE(name);
    const NodeSpec* node = catalog.node(name, diagnostics);
    REQUIRE(node != nullptr);
    CHECK((node->price->low && node->price->high));
  }
}

TEST_CASE(
    "shipped formats: effective bits hold the scales, and every device has a peak for every "
    "format") {
  Catalog catalog(find_catalog_root(""));
  Diagnostics diagnostics;
  const std::vector<std::string> formats = catalog.format_names(diagnostics);
  REQUIRE(formats.size() >= 7);
  CHECK(catalog.format("nvfp4", diagnostics)->bits.value == 4.0 + 8.0 / 16.0);
  CHECK(catalog.format("mxfp4", diagnostics)->bytes() == (4.0 + 8.0 / 32.0) / 8.0);
  CHECK(catalog.format("no-such", diagnostics) == nullptr);
  for (const std::string& name : catalog.names(EntryKind::device)) {
    const Device* device = catalog.device(name, diagnostics);
    REQUIRE(device != nullptr);
    for (const std::string& format_name : formats) {
      CAPTURE(name);
      CAPTURE(format_name);
      const NumberFormat* format = catalog.format(format_name, diagnostics);
      CHECK_FALSE(format->bits.source.empty());
      const auto& peak = device->engines.front().peak;
      const auto& energy = device->power.energy_per_flop;
      const auto usable =
          std::find_if(format->math.begin(), format->math.end(),
                       [&](const std::string& math) { return peak.count(math) == 1; });
      REQUIRE(usable != format->math.end());
      CHECK(energy.count(*usable) == 1);
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
