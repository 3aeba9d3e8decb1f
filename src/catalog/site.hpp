#pragma once
// A site: the building's power price, efficiency and cost, one file each in
// hardware_catalog/sites/.
#include <optional>
#include <string>
#include <vector>

#include "catalog/device.hpp"

namespace tokenyard::catalog {

// Either built (capex per provisioned watt) or rented (colocation, per provisioned power and time).
struct Facility {
  std::optional<Sourced<UsdPerWatt>> capex_per_watt;
  std::optional<Sourced<UsdPerWattSecond>> colo_per_kw_month;  // written '184 USD/kW/month'
  Sourced<Seconds> lifetime{years(15)};                        // of a building that is built
};

struct RackSpec {
  Sourced<Watts> power_limit;
  Sourced<Usd> price;
  std::int64_t units = 42;
};

struct Staff {
  Sourced<double> devices_per_person{1000.0};
  Sourced<Usd> cost_per_person_year{usd(180e3)};
};

// A price that holds from `from_hour` (0..23, local) until the next step's.
struct TariffStep {
  std::int64_t from_hour = 0;
  UsdPerJoule price;
};

struct Site {
  std::string name;
  std::string description;
  std::string source;
  input::Confidence confidence = input::Confidence::estimate;
  Sourced<UsdPerJoule> electricity;
  Sourced<double> pue{1.2};
  Sourced<KilogramsPerJoule> carbon_intensity;
  Facility facility;
  RackSpec rack;
  Staff staff;
  Sourced<double> discount_rate{0.10};         // WACC
  Sourced<double> maintenance_per_year{0.04};  // share of hardware capex
  Sourced<double> install_share{0.04};         // share of hardware capex, once
  Sourced<double> residual_value{0.10};        // share of hardware capex at the end of the horizon
  std::vector<TariffStep> tariff;              // optional; else `electricity` all day
};

void describe(input::Fields& f, Facility& x);
void describe(input::Fields& f, RackSpec& x);
void describe(input::Fields& f, Staff& x);
void describe(input::Fields& f, TariffStep& x);
void describe(input::Fields& f, Site& x);

}  // namespace tokenyard::catalog
