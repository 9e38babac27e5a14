// Wrong shapes, axes and options: each is an error of the documented kind that says what was expected and what came.
#include "../catch.hpp"

#include <limbic/ops/ops.hpp>
#include <limbic/tape/record.hpp>

using namespace limbic;

namespace errors {

tensor<float, 2> const matrix({2, 3}, {1, 2, 3, 4, 5, 6});
tensor<float, 1> const four({4}, {1, 2, 3, 4});
tensor<float, 2> const weight(shape<2>{{5, 4}});

TEST_CASE("operands that do not broadcast") {
  CHECK_THROWS_AS(matrix + four, shape_error);
  CHECK_THROWS_WITH(matrix * four, "[mul] shapes (2, 3) and (4) do not broadcast");
  CHECK_THROWS_WITH(where(greater(matrix, 0), four, matrix), "[where] shapes (4) and (2, 3) do not broadcast");
  tape t;
  CHECK_THROWS_WITH(t.variable(matrix) / four, "[div] shapes (2, 3) and (4) do not broadcast");
  CHECK(t.nodes() == 0);
}

TEST_CASE("axes that do not exist") {
  CHECK_THROWS_AS(sum(matrix, 2), index_error);
  CHECK_THROWS_WITH(mean(matrix, -3), "[mean] axis -3 does not exist in a tensor of rank 2");
  CHECK_THROWS_WITH(max(matrix, 2, keepdim), "[max] axis 2 does not exist in a tensor of rank 2");
  CHECK_THROWS_WITH(softmax(matrix, 2), "[softmax] axis 2 does not exist in a tensor of rank 2");
  CHECK_THROWS_WITH(log_softmax(matrix, 2), "[log_softmax] axis 2 does not exist in a tensor of rank 2");
  CHECK_THROWS_WITH(argmax(matrix, 2), "[argmax] axis 2 does not exist in a tensor of rank 2");
  CHECK_THROWS_WITH(unsqueeze(matrix, 3), "[unsqueeze] axis 3 does not exist in a tensor of rank 3");
  CHECK_THROWS_AS(concatenate(2, matrix, matrix), index_error);
  CHECK_THROWS_AS(stack(3, matrix, matrix), index_error);
  CHECK_THROWS_AS(pad(matrix, 2, 1, 1), index_error);
  CHECK_THROWS_AS(slice(matrix, 2, 0), index_error);
  CHECK_THROWS_AS(select(matrix, 2, 0), index_error);
  CHECK_THROWS_AS(logsumexp(matrix, 5), index_error);
  CHECK_THROWS_AS(variance(matrix, 5), index_error);
}

TEST_CASE("parts that do not exist") {
  CHECK_THROWS_WITH(slice(matrix, 1, 1, 4), "[slice] range 1 to 4 step 1 does not lie in axis 1 of (2, 3)");
  CHECK_THROWS_AS(slice(matrix, 1, 2, 1), index_error);
  CHECK_THROWS_AS(slice(matrix, 1, -4), index_error);
  CHECK_THROWS_AS(slice(matrix, 1, 0, 3, 0), index_error);
  CHECK_THROWS_WITH(select(matrix, 0, 2), "[select] index 2 does not lie in axis 0 of (2, 3)");
  CHECK_THROWS_WITH(select(matrix, -1, -4), "[select] index -4 does not lie in axis -1 of (2, 3)");
}

TEST_CASE("shapes that do not fit") {
  CHECK_THROWS_WITH(reshape(matrix, 4, -1), "[reshape] shape (2, 3) does not have the elements of (4, -1)");
  CHECK_THROWS_AS(reshape(matrix, -1, -1), shape_error);
  CHECK_THROWS_WITH(squeeze(matrix, 0), "[squeeze] axis 0 of (2, 3) has not extent 1");
  CHECK_THROWS_WITH(permute(matrix, {0, 0}), "[permute] order (0, 0) does not name every axis once");
  CHECK_THROWS_WITH(concatenate(0, matrix, weight),
                    "[concatenate] shapes (2, 3) and (5, 4) differ in more than axis 0");
  CHECK_THROWS_WITH(stack(0, matrix, weight), "[stack] shapes (2, 3) and (5, 4) differ");
  CHECK_THROWS_WITH(broadcast_to(matrix, 2, 4), "[broadcast_to] shape (2, 3) does not broadcast to (2, 4)");
  CHECK_THROWS_AS(broadcast_to(matrix, -1, 2, 3), shape_error);
  CHECK_THROWS_WITH(matmul(matrix, weight), "[matmul] columns of a (2, 3) must equal rows of b (5, 4)");
  CHECK_THROWS_WITH(functional::linear(matrix, weight),
                    "[linear] the last axis of x (2, 3) must equal columns of the weight (5, 4)");
  CHECK_THROWS_WITH(functional::linear(four, weight, four),
                    "[linear] a bias of shape (4) must have an element for each row of the weight (5, 4)");
  CHECK_THROWS_WITH(functional::dropout(matrix, weight), "[dropout] noise of shape (5, 4) for x of shape (2, 3)");
}

TEST_CASE("options outside of their domain") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(elu(four, {.alpha = -1}), "[elu] alpha must not be negative, but is -1");
  CHECK_THROWS_WITH(softplus(four, {.beta = 0}), "[softplus] beta must be positive, but is 0");
  CHECK_THROWS_AS(softplus(four, {.beta = nan}), argument_error);
  CHECK_THROWS_AS(leaky_relu(four, {.negative_slope = nan}), argument_error);
  CHECK_THROWS_WITH(clamp(four, nan, 1), "[clamp] the bounds must be numbers, but are nan and 1");
  CHECK_THROWS_WITH(functional::dropout(four, four, 1), "[dropout] p must lie in [0, 1), but is 1");
  CHECK_THROWS_AS(functional::dropout(four, four, -0.1), argument_error);
  CHECK_THROWS_WITH(pad(matrix, {1, -1}, {0, 0}), "[pad] widths must not be negative, but are (1, -1) and (0, 0)");
  CHECK_THROWS_WITH(repeat(four, -2), "[repeat] numbers of copies must not be negative, but are (-2)");
}

}  // namespace errors
