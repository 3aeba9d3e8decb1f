#include "cli/catalog_compare.hpp"

#include <functional>

#include "base/quantity_text.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "study/compare_machines.hpp"

namespace tokenyard::cli {
namespace {

using study::MachineRow;

constexpr double kPerGiga = 1e9;
constexpr double kPerPico = 1e12;
constexpr std::size_t kMeaningColumn = 18;  // of the legend

struct Column {
  const char* name;
  std::function<Cell(const MachineRow&)> cell;
};

// A quantity in the unit of its column's name; empty when it is not known.
template <Dim D>
Cell number(const std::optional<Quantity<D>>& quantity, double factor) {
  return quantity ? Cell(quantity->base() * factor) : Cell();
}

// A value of one of the row's two decode steps; empty when there is none.
template <class F>
std::function<Cell(const MachineRow&)> of(std::optional<study::OperatingPoint> MachineRow::*point,
                                          F value) {
  return [point, value](const MachineRow& row) -> Cell {
    if (!(row.*point)) return {};
    return value(*(row.*point));
  };
}

Cell text_or_empty(const std::string& text) {
  return text.empty() ? Cell() : Cell(text);
}

// "projected, 2 unknown, 1 marked"
std::string doubts_of(const MachineRow& row) {
  std::string text;
  if (row.status != catalog::DeviceStatus::shipping) text = input::name_of(row.status);
  for (const auto& [count, kind] : {std::pair{row.unknown, " unknown"}, {row.marked, " marked"}}) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + kind;
  }
  return text;
}

std::vector<Column> columns() {
  using study::OperatingPoint;
  const auto one = &MachineRow::one;
  const auto best = &MachineRow::best;
  const auto tokens = [](const OperatingPoint& p) { return p.tokens_per_s; };
  const auto split = [](const OperatingPoint& p) { return study::text_of(p.split); };
  const auto cause = [](const OperatingPoint& p) {
    return std::string(input::name_of(p.bound_by));
  };
  return {
      {"node", [](const MachineRow& r) { return r.node; }},
      {"devices",
       [](const MachineRow& r) { return r.fewest.devices > 0 ? Cell(r.fewest.devices) : Cell(); }},
      {"tp_x_pp",
       [](const MachineRow& r) {
         return r.fewest.devices > 0 ? Cell(study::text_of(r.fewest)) : Cell();
       }},
      {"weights", [](const MachineRow& r) { return r.weights; }},
      {"kv", [](const MachineRow& r) { return r.kv; }},
      {"tier", [](const MachineRow& r) { return text_or_empty(r.tier); }},
      {"bytes_per_flop", [](const MachineRow& r) { return number(r.bytes_per_flop, 1.0); }},
      {"usd_per_gb_per_s",
       [](const MachineRow& r) { return number(r.price_per_bandwidth, kPerGiga); }},
      {"usd_per_gb", [](const MachineRow& r) { return number(r.price_per_capacity, kPerGiga); }},
      {"pj_per_byte", [](const MachineRow& r) { return number(r.weight_energy, kPerPico); }},
      {"one_split", of(one, split)},
      {"one_tokens_per_s", of(one, tokens)},
      {"one_bound_by", of(one, cause)},
      {"best_split", of(best, split)},
      {"best_batch", of(best, [](const OperatingPoint& p) { return p.batch; })},
      {"tokens_per_s", of(best, tokens)},
      {"tokens_per_s_per_device",
       [](const MachineRow& r) { return r.best ? Cell(r.tokens_per_s_per_device()) : Cell(); }},
      {"j_per_token", of(best, [](const OperatingPoint& p) { return p.joules_per_token; })},
      {"bound_by", of(best, cause)},
      {"rests on", [](const MachineRow& r) { return text_or_empty(doubts_of(r)); }},
      {"cannot run it", [](const MachineRow& r) { return text_or_empty(r.cannot); }},
  };
}

// Columns that have nothing to say of any machine are left out where people read.
Table table_of(const std::vector<MachineRow>& rows, bool for_people) {
  Table table;
  table.rows.resize(rows.size());
  for (const Column& column : columns()) {
    std::vector<Cell> cells;
    bool any = !for_people;
    for (const MachineRow& row : rows) {
      cells.push_back(column.cell(row));
      any = any || cells.back() != Cell();
    }
    if (!any) continue;
    table.columns.emplace_back(column.name);
    for (std::size_t i = 0; i < rows.size(); ++i) table.rows[i].push_back(cells[i]);
  }
  return table;
}

// What the columns mean, one a line.
std::string legend(const study::CompareSpec& spec, std::int64_t context) {
  const std::string tokens = std::to_string(context) + " tokens";
  const std::string most = std::to_string(spec.max_batch) + " sequences";
  const std::string limit = spec.tpot ? ", steps of at most " + to_text(*spec.tpot) : std::string();
  const std::pair<std::string, std::string> lines[] = {
      {"order",
       "tokens/s of a device; below the others machines that are announced or projected, or rest "
       "on "
       "unknown numbers; then those that cannot"},
      {"devices", "the fewest that hold the model and " + tokens + " of KV cache"},
      {"tp_x_pp", "devices that share each layer x stages of layers"},
      {"bytes_per_flop", "bandwidth at which weights are read / dense peak of their format"},
      {"usd_per_gb_per_s",
       "a device's share of the price of its node, host and NICs included / that bandwidth"},
      {"usd_per_gb", "the same share / capacity for weights and KV cache"},
      {"pj_per_byte", "energy of reading weights"},
      {"one_tokens_per_s",
       "decoding one sequence of " + tokens +
           ", of the split that is fastest in one node, or in the fewest that hold the model"},
      {"best_split",
       "of the most tokens/s per device: tensor parallel x stages, or EP: attention on whole "
       "sequences, experts dealt out"},
      {"best_batch", "of the most tokens/s: at most " + most + " a replica that fit at " + tokens +
                         " each" + limit},
      {"j_per_token", "of the devices at the best batch, idle power included"},
      {"bound_by", "the largest part of a step, of which the host's work is one"}};
  std::string text = "\n";
  for (const auto& [column, meaning] : lines)
    text += column + std::string(kMeaningColumn - column.size(), ' ') + meaning + '\n';
  return text;
}

std::int64_t integer_up_to(const Arguments& arguments, const std::string& option,
                           std::int64_t most) {
  const std::int64_t number = arguments.integer(option, 1);
  if (number <= most) return number;
  throw InputError("--" + option + ": '" + arguments.text(option) + "' is more than " +
                   std::to_string(most));
}

study::CompareSpec spec_of(const Arguments& arguments) {
  const std::vector<std::string>& words = arguments.operands();
  if (words.size() < 2) throw InputError("catalog compare: expected the name of a model");
  study::CompareSpec spec{.model = words[1],
                          .nodes = {words.begin() + 2, words.end()},
                          .context = std::nullopt,
                          .weights = arguments.text("weights"),
                          .kv = arguments.text("kv"),
                          .tpot = std::nullopt,
                          .max_batch = integer_up_to(arguments, "max-batch", study::kMostSequences),
                          .max_batch_tokens = std::nullopt,
                          .fabric = arguments.text("fabric"),
                          .host = {}};
  if (arguments.has("context")) spec.context = arguments.integer("context", 1);
  if (arguments.has("max-batch-tokens"))
    spec.max_batch_tokens = integer_up_to(arguments, "max-batch-tokens", study::kMostStepTokens);
  if (arguments.has("tpot")) {
    const ParsedQuantity tpot = parse_quantity(arguments.text("tpot"), kTime);
    if (!tpot.ok) throw InputError("--tpot: " + tpot.problem);
    if (tpot.value <= 0.0) throw InputError("--tpot: a limit is more than 0 s");
    spec.tpot = seconds(tpot.value);
  }
  return spec;
}

}  // namespace

std::vector<Option> compare_options() {
  return {{"context", "N",
           "compare: tokens of each sequence; default: 8192, or the model's longest", ""},
          {"weights", "FORMAT", "compare: number format; auto: what the device is usually run in",
           "auto"},
          {"kv", "FORMAT", "compare: the same for the KV cache", "auto"},
          {"tpot", "TIME", "compare: longest step of the best batch, such as '50 ms'", ""},
          {"max-batch", "N", "compare: most sequences of a batch", "256"},
          {"max-batch-tokens", "N",
           "compare: most tokens of a step, which there is room for; default: 512, or 2 a sequence",
           ""},
          {"fabric", "NAME", "compare: between nodes; default: leaf-spine-400g", ""}};
}

int compare_catalog(catalog::Catalog& catalog, const Arguments& arguments) {
  const study::CompareSpec spec = spec_of(arguments);
  const std::int64_t context = study::context_of(catalog, spec);
  const bool for_people = !arguments.has("json") && arguments.text("format") == "table";
  print_table(table_of(study::compare_machines(catalog, spec), for_people), arguments);
  if (for_people) print(legend(spec, context));
  return kDone;
}

}  // namespace tokenyard::cli
