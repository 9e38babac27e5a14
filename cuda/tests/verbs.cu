// tests/verbs.cu - map, reduce, rows, gemm, memory and random numbers on a GPU, against the same calls on the CPU
#include "compare.hpp"

#include <limbic/ops/max.hpp>
#include <limbic/ops/softmax.hpp>
#include <limbic_cuda/backend.cuh>

#include <limits>

namespace {

using namespace limbic;
using compare::fetched;
using compare::outcome;
using compare::placed;
using compare::reals;

struct add_twice {
  template <class V> constexpr V operator()(V a, V b) const { return a + b + b; }
};
struct sum_and_difference {
  template <class V> constexpr auto operator()(V a, V b) const { return results{a + b, a - b}; }
};
struct times {
  template <class V> constexpr V operator()(V a, V b) const { return a * b; }
};

struct inputs {
  reals<3> cube = compare::numbers(shape{5, 6, 7});
  reals<3> plane = compare::numbers(shape{5, 1, 7});
  reals<1> line = compare::numbers(shape{7});
  reals<1> lengthy = compare::numbers(shape{200001});
  reals<2> tall = compare::numbers(shape{3001, 41});
  reals<2> wide = compare::numbers(shape{3, 70001});
  reals<2> holes = compare::numbers(shape{4, 50});
  reals<3> left = compare::numbers(shape{3, 65, 33}), right = compare::numbers(shape{3, 33, 70});
};

template <class T, class D> outcome maps(inputs const& in) {
  outcome all;
  D const d;
  auto const cube = placed<T, D>(in.cube);
  auto const plane = placed<T, D>(in.plane);
  auto const line = placed<T, D>(in.line);
  tensor<T, 3, D> y(cube.shape()), z(cube.shape());
  map(d, y, add_twice{}, cube, plane);
  all.push_back(fetched(y.view()));
  map(d, sink<T, 3, D>(y.view(), true), add_twice{}, cube, line);  // adds
  all.push_back(fetched(y.view()));
  map(d, outs(y, sink<T, 3, D>(z.view(), true)), sum_and_difference{}, cube, y);  // an output is an input
  all.push_back(fetched(y.view()));
  all.push_back(fetched(z.view()));
  tensor<T, 3, D> turned({7, 5, 6});
  copy(d, turned, cube.view().permute({{2, 0, 1}}));
  all.push_back(fetched(turned.view()));
  map(d, y.view().slice(1, 1, 6, 2), times{}, cube.view().slice(1, 0, 3), plane);  // every other row is left alone
  all.push_back(fetched(y.view()));
  map(d, turned.view().permute({{1, 2, 0}}), times{}, cube, line);
  all.push_back(fetched(turned.view()));
  fill(d, turned.view().slice(0, 2, 5), T(3));
  all.push_back(fetched(turned.view()));
  tensor<T, 0, D> one(shape<0>{}, T(5));
  map(d, one, add_twice{}, one, one);
  all.push_back(fetched(one.view()));
  map(d, sink<T, 3, D>(), add_twice{}, cube, plane);  // nobody wants it
  tensor<T, 2, D> none({0, 4});
  map(d, none, add_twice{}, none, none);
  all.push_back(fetched(tensor<T, 3, D>(cube.view().permute({{1, 2, 0}})).view()));  // a strided view, brought together
  tensor<T, 3, D> copied(cube);
  copied = y;
  all.push_back(fetched(copied.view()));
  return all;
}

template <class T, class D> outcome folds(inputs const& in) {
  outcome all;
  D const d;
  auto const cube = placed<T, D>(in.cube);
  auto const plane = placed<T, D>(in.plane);
  auto const tall = placed<T, D>(in.tall);
  auto const wide = placed<T, D>(in.wide);
  auto const lengthy = placed<T, D>(in.lengthy);
  auto const fold2 = [&](auto const& x, std::ptrdiff_t rows, std::ptrdiff_t columns, auto combine) {
    tensor<T, 2, D> y({rows, columns}, T(1));
    reduce(d, y, combine, x);
    all.push_back(fetched(y.view()));
    reduce(d, sink<T, 2, D>(y.view(), true), combine, x);
    all.push_back(fetched(y.view()));
  };
  fold2(tall, 1, 41, sum_of{});    // columns
  fold2(tall, 3001, 1, sum_of{});  // short rows
  fold2(tall, 1, 1, max_of{});     // all of it
  fold2(wide, 3, 1, sum_of{});     // long rows, in pieces
  fold2(wide, 1, 70001, min_of{});
  fold2(tall.view().transpose(), 1, 3001, sum_of{});
  tensor<T, 1, D> total(shape<1>{{1}});
  reduce(d, total, sum_of{}, times{}, lengthy, lengthy);
  all.push_back(fetched(total.view()));
  tensor<T, 3, D> middle({5, 1, 7}), ends({1, 6, 1});
  reduce(d, middle, sum_of{}, times{}, cube, plane);
  all.push_back(fetched(middle.view()));
  reduce(d, ends, product_of{}, cube.view());
  all.push_back(fetched(ends.view()));
  reduce(d, ends, sum_of{}, times{}, cube, plane);
  all.push_back(fetched(ends.view()));
  tensor<T, 2, D> empty({4, 0}), nothing({4, 1});
  reduce(d, nothing, sum_of{}, empty);
  all.push_back(fetched(nothing.view()));
  auto holes = in.holes;
  holes(2, 17) = std::numeric_limits<double>::quiet_NaN();
  holes(3, 0) = std::numeric_limits<double>::infinity();
  reduce(d, nothing, max_of{}, placed<T, D>(holes));
  all.push_back(fetched(nothing.view()));
  return all;
}

template <class T, class D> outcome rows(inputs const& in) {
  outcome all;
  auto const cube = placed<T, D>(in.cube);
  auto const wide = placed<T, D>(in.wide);
  for (int axis = 0; axis < 3; ++axis) {
    all.push_back(fetched(softmax(cube, axis).view()));
    all.push_back(fetched(softmax(cube.view().permute({{2, 0, 1}}), axis).view()));
    all.push_back(fetched(argmax(cube, axis).view()));
    all.push_back(fetched(argmin(cube, axis).view()));
  }
  all.push_back(fetched(softmax(wide, 1).view()));
  auto holes = in.holes;
  holes(2, 17) = std::numeric_limits<double>::quiet_NaN();
  holes(1, 49) = holes(1, 3) = 9;
  all.push_back(fetched(argmax(placed<T, D>(holes), 1).view()));
  all.push_back(fetched(softmax(placed<T, D>(holes), 1).view()));
  return all;
}

template <class T, class D> outcome products(inputs const& in) {
  outcome all;
  D const d;
  auto const left = placed<T, D>(in.left);
  auto const right = placed<T, D>(in.right);
  view<T const, 2, D> const a = left.view()[0], b = right.view()[0];  // (65, 33), (33, 70)
  auto const keep = [&](auto const& v) { all.push_back(fetched(v)); };
  tensor<T, 2, D> c({65, 70}, T(1)), turned({70, 65}, T(1)), square({33, 33});
  gemm(d, sink<T, 2, D>(c.view(), true), a, b);
  keep(c.view());
  gemm(d, sink<T, 2, D>(turned.view()), b.transpose(), a.transpose());
  keep(turned.view());
  gemm(d, sink<T, 2, D>(turned.view().transpose(), true), a, b);  // c's rows are not contiguous
  keep(turned.view());
  gemm(d, sink<T, 2, D>(square.view()), a.transpose(), a);
  keep(square.view());
  gemm(d, sink<T, 2, D>(c.view().slice(0, 0, 64, 3).slice(1, 10, 26)), a.slice(0, 0, 64, 3), b.slice(1, 0, 16));
  keep(c.view());
  gemm(d, sink<T, 2, D>(c.view()), a.slice(1, 0, 0), b.slice(0, 0, 0));  // nothing to add up: zeros
  keep(c.view());
  gemm(d, sink<T, 2, D>(c.view().slice(0, 0, 1)), a.slice(0, 4, 5), b);
  gemm(d, sink<T, 2, D>(c.view().slice(1, 3, 4)), a, b.slice(1, 3, 4));
  keep(c.view());
  packed_matrix<T, D> const packed(b);
  gemm(d, sink<T, 2, D>(c.view(), true), a, packed);
  keep(c.view());
  tensor<T, 3, D> batch({3, 65, 70});
  view<T const, 3, D> const as = left, bs = right;
  gemm(d, sink<T, 3, D>(batch.view()), as, bs);
  keep(batch.view());
  gemm(d, sink<T, 3, D>(batch.view(), true), as, bs.slice(0, 1, 2));
  keep(batch.view());
  gemm(d, sink<T, 3, D>(batch.view()), as.slice(0, 2, 3), bs);
  keep(batch.view());
  return all;
}

// The same words on every device; normals to the last bits of log, sin and cos.
template <class T, class D> outcome randoms(inputs const&) {
  outcome all;
  rng random{.seed = 5, .stream = 9};
  tensor<T, 2, D> x({31, 33});
  random.uniform(x, -1, 3);
  all.push_back(fetched(x.view()));
  random.normal(x, 2, 0.5);
  all.push_back(fetched(x.view()));
  random.uniform(x);
  all.push_back(fetched(x.view()));
  return all;
}

struct both {
  compare::judge& judge;
  inputs const& in;
  template <class Cpu, class Single, class Double> void operator()(char const* name, Cpu cpu, Single single,
                                                                   Double twice, double factor) const {
    auto const expected = cpu(in);
    judge.compare(name, "float", expected, single(in), 1e-5 * factor);
    judge.compare(name, "double", expected, twice(in), 1e-13 * factor);
  }
};

// What was given back is used again, and the GPU's memory does not grow.
bool memory_comes_back() {
  auto& pool = static_cast<device_pool&>(current_memory(cuda{}));
  std::size_t taken = 0;
  for (int round = 0; round < 3; ++round) {
    tensor<float, 1, cuda> const small(shape<1>{{10}}, 1.0F), medium(shape<1>{{100000}}), large(shape<1>{{3000000}});
    tensor<float, 1, cuda> const copied(large);
    if (round == 0) taken = pool.taken();
  }
  std::printf("%s memory: %zu bytes\n", pool.taken() == taken ? "ok    " : "FAILED", pool.taken());
  return pool.taken() == taken;
}

// A stream with a pool of its own.
bool streams_have_memory() {
  bool good = false;
  device_pool own;
  cudaStream_t stream = nullptr;
  cuda_check(cudaStreamCreate(&stream), "test");
  {
    use_stream const use(stream, own);
    tensor<float, 1, cuda> const x(shape<1>{{1000}}, 1.5F);
    tensor<float, 1, cuda> y(shape<1>{{1000}}, uninitialized);
    map(cuda{}, y, add_twice{}, x, x);
    good = to_host<scalar>(y)(999) == 4.5F && own.taken() > 0 && &current_memory(cuda{}) == &own;
  }
  cuda_check(cudaStreamDestroy(stream), "test");
  good = good && &current_memory(cuda{}) != &own;
  std::printf("%s streams\n", good ? "ok    " : "FAILED");
  return good;
}

bool errors_have_types() {
  bool shapes = false, missing = false;
  try {
    map(cuda{}, tensor<float, 1, cuda>(shape<1>{{3}}), add_twice{}, tensor<float, 1, cuda>(shape<1>{{2}}),
        tensor<float, 1, cuda>(shape<1>{{3}}));
  } catch (shape_error const&) {
    shapes = true;
  }
  try {
    cuda_check(cudaErrorMemoryAllocation, "test");
  } catch (memory_error const&) {
    missing = true;
  }
  std::printf("%s errors\n", shapes && missing ? "ok    " : "FAILED");
  return shapes && missing;
}

}  // namespace

int main() {
  if (device_count() == 0) return compare::skipped();
  try {
    inputs const in;
    compare::judge judge({});
    both const check{judge, in};
    check("map", maps<double, scalar>, maps<float, cuda>, maps<double, cuda>, 1);
    check("reduce", folds<double, scalar>, folds<float, cuda>, folds<double, cuda>, 10);
    check("rows", rows<double, scalar>, rows<float, cuda>, rows<double, cuda>, 1);
    check("gemm", products<double, scalar>, products<float, cuda>, products<double, cuda>, 1);
    check("random (double)", randoms<double, scalar>, randoms<double, cuda>, randoms<double, cuda>, 1);
    check("random (float)", randoms<float, scalar>, randoms<float, cuda>, randoms<float, cuda>, 1e7);
    bool const rest = memory_comes_back() && streams_have_memory() && errors_have_types();
    return rest ? judge.report() : 1;
  } catch (std::exception const& e) {
    std::printf("FAILED: %s\n", e.what());
    return 1;
  }
}
