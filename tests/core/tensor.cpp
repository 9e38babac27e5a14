// Shapes, views, tensors, errors: what every other header takes for granted.
#include <limbic/core/parameter.hpp>

#include "../catch.hpp"

#include <string>
#include <vector>

using namespace limbic;

namespace {
template <class Error, class F> std::string message_of(F&& f) {
  try {
    f();
  } catch (Error const& e) {
    return e.what();
  }
  return "nothing was thrown";
}
tensor<float, 2> counting(std::ptrdiff_t m, std::ptrdiff_t n) {
  tensor<float, 2> a(shape{m, n});
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) a.data()[i] = static_cast<float>(i);
  return a;
}
template <class V> std::vector<float> elements(V const& v) {
  tensor<float, V::rank> const t(v);
  return {t.begin(), t.end()};
}
}  // namespace

TEST_CASE("tensors own aligned, initialised elements", "[core]") {
  tensor<double, 3> const a({2, 3, 4});
  CHECK(a.size() == 24);
  CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
  for (double x : a) CHECK(x == 0.0);
  tensor<int, 1> const b({3}, {1, 2, 3});
  CHECK(b(2) == 3);
  CHECK(tensor<float, 0>({}, {2.5F})() == 2.5F);
  CHECK(message_of<shape_error>([] { tensor<int, 1>({3}, {1, 2}); }) == "[tensor] 2 values do not fill shape (3)");
  CHECK_THROWS_AS((tensor<int, 2>({2, -1})), shape_error);
}

TEST_CASE("copies are deep, assignment of one shape keeps the address, moves steal", "[core]") {
  auto a = counting(2, 3);
  auto b = a;
  b(0, 0) = 9.0F;
  CHECK(a(0, 0) == 0.0F);
  float const* const at = a.data();
  a = b;
  CHECK(a.data() == at);
  CHECK(a(0, 0) == 9.0F);
  a = counting(1, 1);
  CHECK(a.size() == 1);
  auto const c = std::move(b);
  CHECK(c(0, 0) == 9.0F);
  CHECK(b.data() == nullptr);  // NOLINT: what a moved-from tensor is
  b = c;
  CHECK(b(0, 0) == 9.0F);
  b = *&b;
  CHECK(b(1, 2) == 5.0F);
}

TEST_CASE("empty tensors are tensors", "[core]") {
  tensor<float, 2> const a({0, 3});
  CHECK(a.empty());
  CHECK(a.view());  // not null
  tensor<float, 2> const b = a;
  CHECK(b.shape() == shape{0, 3});
  CHECK_FALSE(view<float, 2>());
}

TEST_CASE("views: slice, permute, transpose, broadcast, reshape", "[core]") {
  auto const a = counting(3, 4);
  CHECK(elements(a.view().slice(0, 1, 3)) == std::vector<float>{4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(elements(a.view().slice(1, 0, 4, 3)) == std::vector<float>{0, 3, 4, 7, 8, 11});
  CHECK(elements(a.view().slice(-1, 1, 2)) == std::vector<float>{1, 5, 9});
  CHECK(elements(a.view().transpose()) == std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  CHECK(elements(a.view().permute({{1, 0}})) == elements(a.view().transpose()));
  CHECK(elements(a.view()[1]) == std::vector<float>{4, 5, 6, 7});
  CHECK(elements(a.view()[2].broadcast_to(shape{2, 4})) == std::vector<float>{8, 9, 10, 11, 8, 9, 10, 11});
  CHECK(elements(a.view()[0].unsqueeze(-1)) == std::vector<float>{0, 1, 2, 3});
  CHECK(a.view().reshape(shape{2, -1}).shape() == shape{2, 6});
  CHECK(a.view().reshape(shape{-1, 2, 1}).shape() == shape{6, 2, 1});
  CHECK(a.view().is_contiguous());
  CHECK_FALSE(a.view().transpose().is_contiguous());
  CHECK(!view<float, 2>(nullptr, limbic::shape<2>{{3, 4}}).slice(0, 1, 3));  // no data: none in its parts
  CHECK(a.view().slice(0, 1, 2).is_contiguous());                            // one row: its stride does not matter
}

TEST_CASE("errors name the op, what was expected and what came", "[core]") {
  auto const a = counting(3, 4);
  CHECK(message_of<shape_error>([&] { (void)a.view().reshape(shape{5, 2}); }) ==
        "[reshape] shape (3, 4) does not have the elements of (5, 2)");
  CHECK(message_of<shape_error>([&] { (void)a.view().reshape(shape{-1, -1}); }).find("at most one -1") !=
        std::string::npos);
  CHECK(message_of<shape_error>([&] { (void)a.view().transpose().reshape(shape{12}); }).find("not contiguous") !=
        std::string::npos);
  CHECK_THROWS_AS(a.view().slice(0, 2, 4), index_error);
  CHECK_THROWS_AS(a.view().slice(2, 0, 1), index_error);
  CHECK_THROWS_AS(a.view().slice(0, 0, 1, 0), index_error);
  CHECK_THROWS_AS(a.view().permute({{0, 0}}), argument_error);
  CHECK_THROWS_AS(a.view().broadcast_to(shape{3, 5}), shape_error);
  CHECK(message_of<shape_error>([&] { (void)broadcast("add", shape{3, 4}, shape{2, 4}); }) ==
        "[add] shapes (3, 4) and (2, 4) do not broadcast");
  CHECK(message_of<argument_error>([] { fail<argument_error>("x", 0.5, ' ', -3, ' ', 1e-9, ' ', true); }) ==
        "[x] 0.5 -3 1e-9 true");
  CHECK_THROWS_AS(fail<io_error>("x", std::string(2000, 'y')), error);  // cut, not overrun
}

TEST_CASE("broadcasting follows NumPy's rule", "[core]") {
  CHECK(broadcast("x", shape{3, 1}, shape{4}) == shape{3, 4});
  CHECK(broadcast("x", shape<0>{}, shape{2, 2}) == shape{2, 2});
  CHECK(broadcast("x", shape{0, 3}, shape{1, 3}) == shape{0, 3});
  CHECK_THROWS_AS(broadcast("x", shape{0, 3}, shape{2, 3}), shape_error);
}

TEST_CASE("parameters keep their gradient apart from their value", "[core]") {
  parameter<float, 1> p(tensor<float, 1>({2}, {1.0F, 2.0F}));
  CHECK_THROWS_AS(p.gradient(), tape_error);
  p.gradient_storage()(0) = 3.0F;
  p.set_has_gradient();
  CHECK(p.gradient()(0) == 3.0F);
  auto const copy = p;
  CHECK_FALSE(copy.has_gradient());
  CHECK(copy.value(1) == 2.0F);
}
