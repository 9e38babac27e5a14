// tests/ops/harness.cpp - the examination itself, compiled once for all ops
#include "harness.hpp"

#include <limits>

namespace examination {

namespace {

call prepare(subject const& s, options const& o) {
  call c;
  std::uint64_t k = 0;
  for (std::size_t n : s.sizes) {
    flat v(n);
    for (double& x : v) x = o.low + (o.high - o.low) * draw(k++);
    c.in.push_back(v);
  }
  return c;
}

// Gives the results of a call weights between -1 and 1, and asks for gradients.
void weigh(call& c, std::size_t n) {
  c.cotangent.resize(n);
  for (std::size_t i = 0; i < n; ++i) c.cotangent[i] = draw(1000 + i) * 2 - 1;
  c.differentiate = true;
}

double weighted(flat const& w, flat const& y) {
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += w[i] * y[i];
  return sum;
}

// Bit for bit, but any NaN equals any other.
bool same_bits(flat const& a, flat const& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i)
    same = std::memcmp(&a[i], &b[i], sizeof(double)) == 0 || (std::isnan(a[i]) && std::isnan(b[i]));
  return same;
}

double largest(flat const& v) {
  double m = 0;
  for (double x : v)
    if (std::isfinite(x)) m = std::max(m, std::abs(x));
  return m;
}

enum class kind { finite, infinite, negative_infinite, nan };
kind kind_of(double x) {
  if (std::isnan(x)) return kind::nan;
  return std::isfinite(x) ? kind::finite : x > 0 ? kind::infinite : kind::negative_infinite;
}

void check_close(std::string const& what, flat const& got, flat const& want, double relative, bool each) {
  REQUIRE(got.size() == want.size());
  double const scale = largest(want);
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO(what << ", element " << i << ": " << got[i] << " for " << want[i]);
    CHECK(kind_of(got[i]) == kind_of(want[i]));
    if (!std::isfinite(want[i])) continue;
    double const allowed = relative * (each ? std::abs(want[i]) : scale) + std::numeric_limits<float>::min();
    if (!(std::abs(got[i] - want[i]) <= allowed)) CHECK(got[i] == want[i]);
  }
}

void check_same_bits(subject const& s, call const& c, method m, std::string const& device, options const& o) {
  call recorded = c, plain = c, strided = c;
  (s.*m)(recorded);
  plain.record = strided.record = false;
  strided.strided = true;
  (s.*m)(plain);
  (s.*m)(strided);
  INFO(s.name << " on " << device);
  CHECK(same_bits(recorded.out, plain.out));
  if (!o.ordered) return;
  CHECK(same_bits(strided.out, plain.out));
  weigh(recorded, recorded.out.size());
  strided = recorded;
  strided.strided = true;
  (s.*m)(recorded);
  (s.*m)(strided);
  for (std::size_t i = 0; i < c.in.size(); ++i) CHECK(same_bits(recorded.gradient[i], strided.gradient[i]));
}

void check_differences(subject const& s, call c, options const& o) {
  s.scalar_double(c);
  weigh(c, c.out.size());
  flat const w = c.cotangent;
  s.scalar_double(c);
  double const scale = 1 + largest(c.out);
  for (std::size_t k = 0; k < c.in.size(); ++k)
    for (std::size_t i = 0; i < c.in[k].size(); ++i) {
      double const h = 1e-6;
      call up = c, down = c;
      up.record = down.record = false;
      up.in[k][i] += h;
      down.in[k][i] -= h;
      s.scalar_double(up);
      s.scalar_double(down);
      double const want = (weighted(w, up.out) - weighted(w, down.out)) / (2 * h), got = c.gradient[k][i];
      if (std::isnan(want)) continue;  // of infinite results
      INFO(s.name << ": gradient of operand " << k << ", element " << i << ": " << got << ", differences give "
                  << want);
      CHECK(std::abs(got - want) <= o.tolerance * (scale + std::abs(want)));
    }
}

void check_devices(subject const& s, call c, options const& o) {
  auto const compare = [&](method one, method other, double epsilon, std::string const& type) {
    call a = c, b = c;
    (s.*one)(a);
    weigh(a, a.out.size());
    weigh(b, a.out.size());
    (s.*one)(a);
    (s.*other)(b);
    check_close(s.name + ": simd " + type, b.out, a.out, o.ulps * epsilon, o.elementwise);
    for (std::size_t k = 0; k < c.in.size(); ++k)
      check_close(s.name + ": simd " + type + ", gradient " + std::to_string(k), b.gradient[k], a.gradient[k],
                  o.ulps * epsilon, false);
  };
  compare(&subject::scalar_double, &subject::simd_double, 0x1p-52, "double");
  compare(&subject::scalar_float, &subject::simd_float, 0x1p-23, "float");
}

void check_duals(subject const& s, call c, options const& o) {
  std::uint64_t k = 5000;
  for (std::size_t n : s.sizes) {
    flat v(n);
    for (double& x : v) x = draw(k++) * 2 - 1;
    c.tangent.push_back(v);
  }
  call plain = c;
  plain.tangent.clear();
  s.simd_double(plain);
  weigh(plain, plain.out.size());
  weigh(c, plain.out.size());
  s.simd_double(plain);
  s.simd_dual(c);
  check_close(s.name + ": dual", c.out, plain.out, o.ulps * 0x1p-52, false);
  double const h = 1e-6;
  call up = plain, down = plain;
  for (std::size_t i = 0; i < s.sizes.size(); ++i)
    for (std::size_t j = 0; j < s.sizes[i]; ++j) {
      up.in[i][j] += h * c.tangent[i][j];
      down.in[i][j] -= h * c.tangent[i][j];
    }
  s.simd_double(up);
  s.simd_double(down);
  auto const compare = [&](std::string const& what, flat const& got, flat const& a, flat const& b, flat const& at) {
    double const scale = 1 + largest(at);
    for (std::size_t i = 0; i < got.size(); ++i) {
      double const want = (a[i] - b[i]) / (2 * h);
      if (std::isnan(want)) continue;  // of infinite results
      INFO(s.name << ": " << what << ", element " << i << ": " << got[i] << ", differences give " << want);
      CHECK(std::abs(got[i] - want) <= o.tolerance * (scale + std::abs(want)));
    }
  };
  compare("derivative along a direction", c.out_tangent, up.out, down.out, plain.out);
  for (std::size_t i = 0; i < s.sizes.size(); ++i) {
    check_close(s.name + ": dual, gradient " + std::to_string(i), c.gradient[i], plain.gradient[i], o.ulps * 0x1p-52,
                false);
    if (o.curved)
      compare("Hessian-vector product " + std::to_string(i), c.gradient_tangent[i], up.gradient[i], down.gradient[i],
              plain.gradient[i]);
  }
}

void check_special(subject const& s, call c, options const& o) {
  double const infinity = std::numeric_limits<double>::infinity();
  double const some[] = {
      std::numeric_limits<double>::quiet_NaN(), infinity, -infinity, 0.0, -0.0, 1e4, -1e4, 1.0, 6.0, -1.0};
  for (int turn = 0; turn < 3; ++turn) {
    std::size_t k = static_cast<std::size_t>(turn);
    for (flat& v : c.in) {
      for (std::size_t i = 0; i < v.size(); ++i)
        if ((i + k) % 2 == 0) v[i] = some[(i / 2 + 3 * k) % 10];
      ++k;
    }
    check_same_bits(s, c, &subject::scalar_float, "scalar, special", o);
    check_same_bits(s, c, &subject::simd_float, "simd, special", o);
    check_devices(s, c, o);
    if (!o.propagates) continue;
    call y = c;
    s.simd_float(y);
    weigh(y, y.out.size());
    s.simd_float(y);
    for (std::size_t i = 0; i < y.out.size(); ++i) {
      INFO(s.name << ": value " << c.in[0][i] << " gives " << y.out[i] << ", gradient " << y.gradient[0][i]);
      if (std::isnan(c.in[0][i])) CHECK(std::isnan(y.out[i]));
    }
  }
}

}  // namespace

void examine_subject(subject const& s, options const& o) {
  INFO(s.name);
  call const c = prepare(s, o);
  check_same_bits(s, c, &subject::scalar_double, "scalar", o);
  check_same_bits(s, c, &subject::simd_double, "simd", o);
  check_same_bits(s, c, &subject::simd_float, "simd, float", o);
  check_differences(s, c, o);
  check_devices(s, c, o);
  check_duals(s, c, o);
  if (o.special) check_special(s, c, o);
}

}  // namespace examination
