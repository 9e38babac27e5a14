#include <limbic/limbic.hpp>

static_assert(LIMBIC_VERSION >= 100);

int main() {
  limbic::tensor<float, 2> x({2, 3});
  return x.size() == 6 ? 0 : 1;
}
