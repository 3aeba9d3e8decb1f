#include "catalog/site.hpp"

#include "catalog/entry.hpp"

namespace tokenyard::catalog {

using input::Fields;

void describe(Fields& f, Facility& x) {
  f.optional("capex_per_watt", x.capex_per_watt, "a building that is built, per provisioned power")
      .at_least(0.0);
  f.optional("colo_per_kw_month", x.colo_per_kw_month,
             "space that is rented, per provisioned power and time: '184 USD/kW/month'")
      .at_least(0.0);
  f.optional("lifetime", x.lifetime, "of a building that is built").more_than(0.0);
  if (f.is_reading() && x.capex_per_watt.has_value() == x.colo_per_kw_month.has_value()) {
    f.problem("capex_per_watt",
              "a facility is either built ('capex_per_watt') or rented ('colo_per_kw_month'); "
              "give one of the two");
  }
}

void describe(Fields& f, RackSpec& x) {
  f.required("power_limit", x.power_limit, "that one rack may draw").more_than(0.0);
  f.required("price", x.price, "of an empty rack with its power distribution").at_least(0.0);
  f.optional("units", x.units, "height").at_least(1);
}

void describe(Fields& f, Staff& x) {
  f.optional("devices_per_person", x.devices_per_person, "how many devices one person looks after")
      .more_than(0.0);
  f.optional("cost_per_person_year", x.cost_per_person_year, "salary and overhead").at_least(0.0);
}

void describe(Fields& f, TariffStep& x) {
  f.required("from_hour", x.from_hour, "0..23, local time").at_least(0).at_most(23);
  f.required("price", x.price, "until the next step").at_least(0.0);
}

void describe(Fields& f, Site& x) {
  describe_head(f, x.name, x.source, x.confidence, x.description);
  f.required("electricity", x.electricity, "price of energy").at_least(0.0);
  f.required("pue", x.pue, "facility energy over IT energy").at_least(1.0);
  f.required("carbon_intensity", x.carbon_intensity, "of the grid, CO2 equivalent").at_least(0.0);
  f.required("facility", x.facility, "the building, built or rented");
  f.required("rack", x.rack, "what one rack takes");
  f.optional("staff", x.staff, "who keeps it running");
  f.optional("discount_rate", x.discount_rate, "cost of capital per year (WACC)")
      .at_least(0.0)
      .at_most(1.0);
  f.optional("maintenance_per_year", x.maintenance_per_year, "share of hardware capex")
      .at_least(0.0)
      .at_most(1.0);
  f.optional("install_share", x.install_share, "share of hardware capex, once")
      .at_least(0.0)
      .at_most(1.0);
  f.optional("residual_value", x.residual_value,
             "share of hardware capex at the end of the horizon")
      .at_least(0.0)
      .at_most(1.0);
  f.optional("tariff", x.tariff, "prices by hour of the day; absent: 'electricity' all day");
  if (!f.is_reading() || x.tariff.empty()) return;
  bool rising = x.tariff.front().from_hour == 0;
  for (std::size_t i = 1; i < x.tariff.size(); ++i) {
    rising = rising && x.tariff[i - 1].from_hour < x.tariff[i].from_hour;
  }
  if (!rising) f.problem("tariff", "from_hour must start at 0 and rise from step to step");
}

}  // namespace tokenyard::catalog
