// Broadcasting stretches and adds axes; it cannot drop one.
// expect: limbic: broadcast_to cannot drop axes
#include <limbic/core/view.hpp>

void f(limbic::view<float const, 2> v) {
#ifdef LIMBIC_BAD
  limbic::shape<1> const to{{3}};
#else
  limbic::shape<3> const to{{4, 2, 3}};
#endif
  v.broadcast_to(to);
}
