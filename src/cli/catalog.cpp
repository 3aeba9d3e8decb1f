#include "catalog/catalog.hpp"

#include "cli/catalog_compare.hpp"
#include "cli/command.hpp"
#include "cli/open_catalog.hpp"
#include "cli/output.hpp"

namespace tokenyard::cli {
namespace {

using catalog::Catalog;
using catalog::EntryKind;

constexpr EntryKind kKinds[] = {EntryKind::device, EntryKind::node,  EntryKind::fabric,
                                EntryKind::site,   EntryKind::model, EntryKind::calibration};

// The entry's values with their provenance, as JSON; "" when its file has errors.
std::string entry_json(Catalog& catalog, EntryKind kind, const std::string& name,
                       Diagnostics& diagnostics) {
  const auto dump = [](const auto* entry) {
    return entry != nullptr ? input::dump_json(*entry) : std::string();
  };
  switch (kind) {
    case EntryKind::device:
      return dump(catalog.device(name, diagnostics));
    case EntryKind::node:
      return dump(catalog.node(name, diagnostics));
    case EntryKind::fabric:
      return dump(catalog.fabric(name, diagnostics));
    case EntryKind::site:
      return dump(catalog.site(name, diagnostics));
    case EntryKind::model:
      return dump(catalog.model(name, diagnostics));
    case EntryKind::calibration:
      return dump(catalog.calibration(name, diagnostics));
  }
  return "";
}

std::string short_of(const catalog::Calibration* c) {
  if (c == nullptr) return "";
  std::string text = "of " + c->date;
  for (const catalog::CalibratedDevice& d : c->devices) text += ", " + d.device;
  return text;
}

std::string short_of(Catalog& catalog, EntryKind kind, const std::string& name,
                     Diagnostics& diagnostics) {
  if (kind == EntryKind::device) {
    const catalog::Device* d = catalog.device(name, diagnostics);
    if (d == nullptr) return "";
    std::string text = d->vendor.empty() ? "" : d->vendor + ", ";
    for (const catalog::MemoryTier& tier : d->memory) {
      if (tier.holds.empty()) continue;
      text += to_text(tier.capacity.value) + ' ' + tier.tier + " at " +
              to_text(tier.bandwidth.value) + ", ";
    }
    for (const auto& [format, peak] : d->engines.front().peak)
      text += format + ' ' + to_text(peak.value) + ", ";
    return text + to_text(d->power.tdp.value);
  }
  if (kind == EntryKind::model) {
    const catalog::Model* m = catalog.model(name, diagnostics);
    if (m == nullptr) return "";
    return three_digits(m->parameters.value / 1e9) + " G parameters, " +
           three_digits(m->active_parameters.value / 1e9) + " G active, context " +
           std::to_string(m->max_context);
  }
  if (kind == EntryKind::node) {
    const catalog::NodeSpec* n = catalog.node(name, diagnostics);
    return n != nullptr ? n->description : "";
  }
  if (kind == EntryKind::fabric) {
    const catalog::FabricSpec* f = catalog.fabric(name, diagnostics);
    return f != nullptr ? f->description : "";
  }
  if (kind == EntryKind::calibration) return short_of(catalog.calibration(name, diagnostics));
  const catalog::Site* s = catalog.site(name, diagnostics);
  return s != nullptr ? to_text(s->electricity.value) + ", PUE " + three_digits(s->pue.value) : "";
}

int list(Catalog& catalog, const Arguments& arguments) {
  Table table{{"kind", "name", "what"}, {}};
  Diagnostics diagnostics;
  for (const EntryKind kind : kKinds) {
    for (const std::string& name : catalog.names(kind)) {
      table.rows.push_back(
          {std::string(input::name_of(kind)), name, short_of(catalog, kind, name, diagnostics)});
    }
  }
  diagnostics.throw_if_any();
  print_table(table, arguments);
  return kDone;
}

int show(Catalog& catalog, const std::string& name) {
  std::vector<std::string> known;
  Diagnostics diagnostics;
  for (const EntryKind kind : kKinds) {
    if (!catalog.exists(kind, name)) {
      for (const std::string& other : catalog.names(kind)) known.push_back(other);
      continue;
    }
    const std::string json = entry_json(catalog, kind, name, diagnostics);
    diagnostics.throw_if_any();
    print(json + '\n');
    return kDone;
  }
  throw InputError("catalog show: no entry '" + name + "'" + suggestion(name, known));
}

// Reads everything and checks it against itself and against physics.
int check_all(Catalog& catalog, const Arguments& arguments) {
  Diagnostics diagnostics;
  std::vector<catalog::Finding> findings;
  std::int64_t entries = 0;
  const auto take = [&](const std::vector<catalog::Finding>& found) {
    findings.insert(findings.end(), found.begin(), found.end());
  };
  for (const EntryKind kind : kKinds) {
    for (const std::string& name : catalog.names(kind)) {
      ++entries;
      if (entry_json(catalog, kind, name, diagnostics).empty()) continue;
      if (kind == EntryKind::device)
        take(catalog::check_device(*catalog.device(name, diagnostics)));
      if (kind == EntryKind::model) take(catalog::check_model(*catalog.model(name, diagnostics)));
      if (kind == EntryKind::calibration)
        take(catalog::check_calibration(*catalog.calibration(name, diagnostics), catalog,
                                        diagnostics));
      if (kind == EntryKind::node)
        take(catalog::check_node(*catalog.node(name, diagnostics), catalog, diagnostics));
    }
  }
  diagnostics.throw_if_any();
  bool wrong = false;
  Table table{{"entry", "finding", "what"}, {}};
  for (const catalog::Finding& f : findings) {
    wrong = wrong || f.error;
    table.rows.push_back({f.entry, std::string(f.error ? "wrong" : "marked"), f.message});
  }
  const bool for_people = !arguments.has("json") && arguments.text("format") == "table";
  if (!table.rows.empty() || !for_people) print_table(table, arguments);
  if (for_people) {
    print(std::to_string(entries) + " entries read, " + std::to_string(findings.size()) +
          (findings.size() == 1 ? " finding\n" : " findings\n"));
  }
  return wrong ? kAnswerIsNo : kDone;
}

int run(const Arguments& arguments) {
  const auto& words = arguments.operands();
  const std::vector<std::string> actions{"list", "show", "check", "compare"};
  if (words.empty()) throw InputError("catalog: expected list, show NAME, check or compare MODEL");
  Catalog catalog = open_catalog(arguments);
  if (words[0] == "list" && words.size() == 1) return list(catalog, arguments);
  if (words[0] == "show" && words.size() == 2) return show(catalog, words[1]);
  if (words[0] == "check" && words.size() == 1) return check_all(catalog, arguments);
  if (words[0] == "compare") return compare_catalog(catalog, arguments);
  throw InputError("catalog: '" + words[0] + "'" + suggestion(words[0], actions) +
                   " (show takes one name)");
}

}  // namespace

Command catalog_command() {
  std::vector<Option> options = compare_options();
  options.insert(options.end(), {{"json", "", "short for --format json", ""},
                                 format_option(),
                                 unknowns_option(),
                                 catalog_option()});
  return {
      "catalog", "list | show NAME | check | compare MODEL [NODE...] [options]",
      "lists, shows, checks and compares devices, nodes, fabrics, sites, models and calibrations",
      std::move(options), run};
}

}  // namespace tokenyard::cli
