#include "store/percentile.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <new>
#include <vector>

#include "base/error.hpp"
#include "metrics/quantile_sketch.hpp"

namespace tokenyard::store {
namespace {

constexpr std::size_t kMostValues = 50'000'000;

struct Values {
  double percent = -1.0;
  std::vector<double> list;
};

// Problems of the arguments and of memory become SQL errors: an exception must not cross SQLite.
void add_value(sqlite3_context* context, int, sqlite3_value** arguments) {
  auto** state = static_cast<Values**>(sqlite3_aggregate_context(context, sizeof(Values*)));
  if (state == nullptr) return sqlite3_result_error_nomem(context);
  try {
    if (*state == nullptr) *state = new Values;
    Values& values = **state;
    const double percent = sqlite3_value_double(arguments[1]);
    const int kind = sqlite3_value_numeric_type(arguments[1]);
    if ((kind != SQLITE_INTEGER && kind != SQLITE_FLOAT) || !(percent >= 0.0 && percent <= 100.0)) {
      return sqlite3_result_error(context, "percentile(x, p): p is a number from 0 to 100", -1);
    }
    if (values.percent >= 0.0 && values.percent != percent) {
      return sqlite3_result_error(context, "percentile(x, p): p is the same for all rows", -1);
    }
    values.percent = percent;
    if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
    const int value_kind = sqlite3_value_numeric_type(arguments[0]);
    if (value_kind != SQLITE_INTEGER && value_kind != SQLITE_FLOAT) {
      return sqlite3_result_error(context, "percentile(x, p): x is a number", -1);
    }
    if (values.list.size() == kMostValues) {
      return sqlite3_result_error(context, "percentile(x, p): more than 50 million values", -1);
    }
    values.list.push_back(sqlite3_value_double(arguments[0]));
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

void give_result(sqlite3_context* context) {
  auto** state = static_cast<Values**>(sqlite3_aggregate_context(context, 0));
  if (state == nullptr || *state == nullptr) return sqlite3_result_null(context);
  std::vector<double>& list = (*state)->list;
  if (list.empty()) {
    sqlite3_result_null(context);
  } else {
    const auto rank =
        metrics::nearest_rank((*state)->percent / 100.0, static_cast<std::int64_t>(list.size()));
    const auto at = list.begin() + rank - 1;
    std::nth_element(list.begin(), at, list.end());
    sqlite3_result_double(context, *at);
  }
  delete *state;
  *state = nullptr;
}

}  // namespace

void add_percentile(sqlite3* db) {
  const int code = sqlite3_create_function_v2(db, "percentile", 2,
                                              SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                              nullptr, nullptr, add_value, give_result, nullptr);
  check(code == SQLITE_OK, "an SQL function can be added");
}

}  // namespace tokenyard::store
