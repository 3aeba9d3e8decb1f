#include "store/query.hpp"
#include "catalog/catalog.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"

namespace tokenyard::cli {
namespace {

Table list_saved(const std::string& root) {
  Table table{{"name", "question"}, {}};
  for (const store::SavedQuery& q : store::saved_queries(root))
    table.rows.push_back({q.name, q.question});
  return table;
}

int run(const Arguments& arguments) {
  const std::string root = catalog::find_catalog_root(arguments.text("catalog"));
  if (arguments.operands().empty()) {
    print_table(list_saved(root), arguments);
    return kDone;
  }
  if (arguments.operands().size() > 1)
    throw InputError("query: expected one name or one SQL text in quotes");
  const std::string db = arguments.text("db");
  const std::string sql = store::resolve_query(db, arguments.operands().front(), root);
  print_table(store::query(db, sql), arguments);
  return kDone;
}

}  // namespace

Command query_command() {
  return {"query",
          "[NAME|SQL] [options]",
          "answers a saved question or a SELECT from a result database; without arguments lists "
          "the questions",
          {{"db", "FILE", "result database", "results.db"},
           {"json", "", "short for --format json", ""},
           format_option(),
           catalog_option()},
          run};
}

}  // namespace tokenyard::cli
