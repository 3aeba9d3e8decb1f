#pragma once
// Quantities that carry their dimension in the type.
//
// A Quantity<Dim> holds one double in base units: seconds, bytes, FLOP, joules, US dollars, tokens,
// kilograms.  Products and quotients get the dimension they should have; sums of unlike dimensions
// do not compile; a result without dimension is a plain double.  What the type cannot say is "per
// what" (per device, per node), so that belongs in the name: power_per_device.
//
// Worked example: gigabytes(80) / terabytes_per_second(3.35) is a Seconds of 0.02388.
#include <cstdint>

namespace tokenyard {

struct Dim {
  std::int8_t time = 0, data = 0, flop = 0, energy = 0, money = 0, token = 0, mass = 0;

  friend constexpr bool operator==(const Dim&, const Dim&) = default;
  friend constexpr Dim operator*(Dim a, Dim b) {
    return {add(a.time, b.time),     add(a.data, b.data),   add(a.flop, b.flop),
            add(a.energy, b.energy), add(a.money, b.money), add(a.token, b.token),
            add(a.mass, b.mass)};
  }
  friend constexpr Dim operator/(Dim a, Dim b) {
    return a * Dim{negate(b.time),  negate(b.data),  negate(b.flop), negate(b.energy),
                   negate(b.money), negate(b.token), negate(b.mass)};
  }

 private:
  static constexpr std::int8_t add(int a, int b) { return static_cast<std::int8_t>(a + b); }
  static constexpr std::int8_t negate(int a) { return static_cast<std::int8_t>(-a); }
};

inline constexpr Dim kNone{};
inline constexpr Dim kTime{.time = 1};
inline constexpr Dim kData{.data = 1};
inline constexpr Dim kFlop{.flop = 1};
inline constexpr Dim kEnergy{.energy = 1};
inline constexpr Dim kMoney{.money = 1};
inline constexpr Dim kToken{.token = 1};
inline constexpr Dim kMass{.mass = 1};

template <Dim D>
class Quantity {
 public:
  static constexpr Dim kDim = D;

  constexpr Quantity() = default;
  static constexpr Quantity from_base(double value) {
    Quantity q;
    q.value_ = value;
    return q;
  }
  // The value in base units (s, B, FLOP, J, USD, token, kg and their products).
  [[nodiscard]] constexpr double base() const { return value_; }

  constexpr Quantity& operator+=(Quantity o) {
    value_ += o.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity o) {
    value_ -= o.value_;
    return *this;
  }
  constexpr Quantity& operator*=(double k) {
    value_ *= k;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return from_base(a.value_ + b.value_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return from_base(a.value_ - b.value_);
  }
  friend constexpr Quantity operator-(Quantity a) { return from_base(-a.value_); }
  friend constexpr Quantity operator*(Quantity a, double k) { return from_base(a.value_ * k); }
  friend constexpr Quantity operator*(double k, Quantity a) { return from_base(k * a.value_); }
  friend constexpr Quantity operator/(Quantity a, double k) { return from_base(a.value_ / k); }
  // Written out: a defaulted <=> costs two branches in hot code.
  friend constexpr bool operator==(Quantity a, Quantity b) { return a.value_ == b.value_; }
  friend constexpr bool operator<(Quantity a, Quantity b) { return a.value_ < b.value_; }
  friend constexpr bool operator>(Quantity a, Quantity b) { return a.value_ > b.value_; }
  friend constexpr bool operator<=(Quantity a, Quantity b) { return a.value_ <= b.value_; }
  friend constexpr bool operator>=(Quantity a, Quantity b) { return a.value_ >= b.value_; }

 private:
  double value_ = 0.0;
};

namespace units_detail {
template <Dim D>
constexpr auto make(double value) {
  if constexpr (D == kNone) {
    return value;
  } else {
    return Quantity<D>::from_base(value);
  }
}
}  // namespace units_detail

template <Dim A, Dim B>
constexpr auto operator*(Quantity<A> a, Quantity<B> b) {
  return units_detail::make<A * B>(a.base() * b.base());
}
template <Dim A, Dim B>
constexpr auto operator/(Quantity<A> a, Quantity<B> b) {
  return units_detail::make<A / B>(a.base() / b.base());
}
template <Dim A>
constexpr auto operator/(double k, Quantity<A> a) {
  return units_detail::make<kNone / A>(k / a.base());
}

using Seconds = Quantity<kTime>;
using Bytes = Quantity<kData>;
using Flops = Quantity<kFlop>;
using Joules = Quantity<kEnergy>;
using Usd = Quantity<kMoney>;
using Tokens = Quantity<kToken>;
using Kilograms = Quantity<kMass>;
using BytesPerSecond = Quantity<kData / kTime>;
using FlopsPerSecond = Quantity<kFlop / kTime>;
using Watts = Quantity<kEnergy / kTime>;
using JoulesPerByte = Quantity<kEnergy / kData>;
using JoulesPerFlop = Quantity<kEnergy / kFlop>;
using UsdPerJoule = Quantity<kMoney / kEnergy>;
using UsdPerWatt = Quantity<kMoney * kTime / kEnergy>;
// Colocation rent: dollars per watt of provisioned power and second (184 USD/kW/month).  The time
// cancels the watt's, so the dimension is that of money per energy.
using UsdPerWattSecond = UsdPerJoule;
using UsdPerSecond = Quantity<kMoney / kTime>;
using KilogramsPerJoule = Quantity<kMass / kEnergy>;
using PerSecond = Quantity<kNone / kTime>;
using BytesPerToken = Quantity<kData / kToken>;
using FlopsPerToken = Quantity<kFlop / kToken>;

inline constexpr double kSecondsPerHour = 3600.0;
inline constexpr double kSecondsPerDay = 86400.0;
inline constexpr double kSecondsPerYear = 365.0 * kSecondsPerDay;
inline constexpr double kJoulesPerKilowattHour = 3.6e6;

constexpr Seconds seconds(double v) {
  return Seconds::from_base(v);
}
constexpr Seconds milliseconds(double v) {
  return Seconds::from_base(v * 1e-3);
}
constexpr Seconds microseconds(double v) {
  return Seconds::from_base(v * 1e-6);
}
constexpr Seconds hours(double v) {
  return Seconds::from_base(v * kSecondsPerHour);
}
constexpr Seconds years(double v) {
  return Seconds::from_base(v * kSecondsPerYear);
}
constexpr Bytes bytes(double v) {
  return Bytes::from_base(v);
}
constexpr Bytes gigabytes(double v) {
  return Bytes::from_base(v * 1e9);
}
constexpr Bytes gibibytes(double v) {
  return Bytes::from_base(v * 1073741824.0);
}
constexpr BytesPerSecond gigabytes_per_second(double v) {
  return BytesPerSecond::from_base(v * 1e9);
}
constexpr BytesPerSecond terabytes_per_second(double v) {
  return BytesPerSecond::from_base(v * 1e12);
}
constexpr Flops gigaflops(double v) {
  return Flops::from_base(v * 1e9);
}
constexpr FlopsPerSecond teraflops_per_second(double v) {
  return FlopsPerSecond::from_base(v * 1e12);
}
constexpr Joules joules(double v) {
  return Joules::from_base(v);
}
constexpr Watts watts(double v) {
  return Watts::from_base(v);
}
constexpr Usd usd(double v) {
  return Usd::from_base(v);
}
constexpr JoulesPerByte picojoules_per_byte(double v) {
  return JoulesPerByte::from_base(v * 1e-12);
}
constexpr JoulesPerFlop picojoules_per_flop(double v) {
  return JoulesPerFlop::from_base(v * 1e-12);
}
constexpr UsdPerJoule usd_per_kilowatt_hour(double v) {
  return UsdPerJoule::from_base(v / kJoulesPerKilowattHour);
}

}  // namespace tokenyard
