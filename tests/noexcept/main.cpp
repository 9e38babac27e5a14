// Without exceptions and run-time type information: training works, and an error reaches the handler with its text.
#include <limbic/core/random.hpp>
#include <limbic/ops/elu.hpp>
#include <limbic/ops/matmul.hpp>
#include <limbic/ops/softmax.hpp>
#include <limbic/tape/record.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>

static_assert(!LIMBIC_EXCEPTIONS);

namespace {

[[noreturn]] void finish(char const* kind, char const* message) {
  bool const good = std::strcmp(kind, "shape_error") == 0 &&
                    std::strcmp(message, "[matmul] columns of a (2, 3) must equal rows of b (4, 5)") == 0;
  std::printf("%s: %s\n", kind, message);
  std::exit(good ? 0 : 1);
}

// One step of gradient descent on the squared distance of softmax(elu(x w)) from zero in its first column.
double step(limbic::tensor<double, 2> const& x, limbic::parameter<double, 2>& w) {
  limbic::tape t;
  auto const y = limbic::softmax(limbic::elu(limbic::matmul(t(x), w)));
  limbic::tensor<double, 2> slope(y.shape());
  double sum = 0;
  for (std::ptrdiff_t i = 0; i < slope.extent(0); ++i) {
    slope(i, 0) = 2 * y.value()(i, 0);
    sum += y.value()(i, 0) * y.value()(i, 0);
  }
  t.backward(y, slope);
  for (std::ptrdiff_t i = 0; i < w.size(); ++i) w.value.data()[i] -= 0.1 * w.gradient().data()[i];
  w.clear_gradient();
  return sum;
}

}  // namespace

int main() {
  limbic::rng random{.seed = 1};
  limbic::tensor<double, 2> x({16, 3});
  limbic::parameter<double, 2> w(limbic::shape<2>{{3, 4}});
  random.normal(x);
  random.normal(w.value);
  double const first = step(x, w);
  double last = first;
  for (int i = 0; i < 50; ++i) last = step(x, w);
  std::printf("%f -> %f\n", first, last);
  if (!(last < 0.9 * first)) return 1;

  limbic::set_error_handler(finish);
  limbic::matmul(limbic::tensor<double, 2>({2, 3}), limbic::tensor<double, 2>({4, 5}));
  std::puts("no error was reported");
  return 1;
}
