// Only floats and doubles are trained.
// expect: limbic: what an optimiser trains are floats or doubles
// at most: 30 lines
#include <limbic/optim/sgd.hpp>

struct model {
#ifdef LIMBIC_BAD
  limbic::parameter<int, 1> counts{limbic::shape<1>{{4}}};
#else
  limbic::parameter<float, 1> counts{limbic::shape<1>{{4}}};
#endif
  void each(auto f) { f("counts", counts); }
};

void f() {
  model m;
  limbic::sgd optimizer(m);
}
