// limbic/metrics/linear_sum_assignment.hpp - each row to a column of its own, so that the summed cost is least
//
//   auto const column = linear_sum_assignment(cost);         column(i): the column of row i, or -1 where columns ran out
//
// min(n, m) pairs of the least sum over all choices, by the Hungarian algorithm as shortest augmenting paths with potentials
// (J. Munkres, Algorithms for the assignment and transportation problems, 1957; R. Jonker and A. Volgenant, 1987), in
// O(min(n, m)^2 max(n, m)). For the greatest sum negate the costs. Among choices of one sum it is always the same one.
//
// shape   cost (n, m), float or double -> (n); n and m may be 0
// domain  finite costs
#pragma once

#include <limbic/metrics/operands.hpp>

#include <limits>

LIMBIC_BEGIN
namespace detail {

// cost (n, m), n <= m, row-major: the column of each row.
inline std::vector<std::ptrdiff_t> assign_rows(number_list const& cost, std::size_t n, std::size_t m) {
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  number_list row_price(n, 0), column_price(m, 0);  // cost - both prices is never negative, and 0 on the pairs chosen
  std::vector<std::size_t> row_of(m, none), column_of(n, none);
  for (std::size_t start = 0; start < n; ++start) {
    // Dijkstra from `start`: to a column over a pair not chosen, from a column back over the pair chosen, to a free column.
    number_list distance(m, std::numeric_limits<double>::infinity());
    std::vector<std::size_t> before(m, start);
    std::vector<char> reached(m, 0);
    std::size_t row = start, end = none;
    double walked = 0;
    while (end == none) {
      std::size_t nearest = m;  // none yet (g++ 12 takes an index of -1 for a mistake)
      for (std::size_t j = 0; j < m; ++j) {
        if (reached[j] != 0) continue;
        double const d = walked + (cost[row * m + j] - row_price[row] - column_price[j]);
        if (d < distance[j]) distance[j] = d, before[j] = row;
        if (nearest == m || distance[j] < distance[nearest]) nearest = j;
      }
      walked = distance[nearest];
      reached[nearest] = 1;
      if (row_of[nearest] == none) end = nearest;
      else row = row_of[nearest];
    }
    row_price[start] += walked;
    for (std::size_t j = 0; j < m; ++j) {
      if (reached[j] == 0 || j == end) continue;
      row_price[row_of[j]] += walked - distance[j];
      column_price[j] -= walked - distance[j];
    }
    for (std::size_t column = end; column != none;) {  // every row on the path moves to the column that it led to
      std::size_t const mover = before[column];
      std::size_t const left = column_of[mover];
      column_of[mover] = column;
      row_of[column] = mover;
      column = left;
    }
  }
  return {column_of.begin(), column_of.end()};
}

inline std::vector<std::int64_t> assign(number_list const& cost, std::size_t n, std::size_t m) {
  require_all_finite("linear_sum_assignment", "costs", cost);
  std::vector<std::int64_t> column(n, -1);
  if (n <= m) {
    auto const each = assign_rows(cost, n, m);
    for (std::size_t i = 0; i < n; ++i) column[i] = each[i];
    return column;
  }
  number_list transposed(cost.size());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) transposed[j * n + i] = cost[i * m + j];
  auto const each = assign_rows(transposed, m, n);
  for (std::size_t j = 0; j < m; ++j) column[static_cast<std::size_t>(each[j])] = static_cast<std::int64_t>(j);
  return column;
}

}  // namespace detail

template <detail::metric_matrix C> tensor<std::int64_t, 1, scalar> linear_sum_assignment(C const& cost) {
  return detail::from_list(detail::assign(detail::numbers_of(cost), static_cast<std::size_t>(cost.shape()[0]),
                                          static_cast<std::size_t>(cost.shape()[1])));
}

LIMBIC_END
