// limbic/tape/tape.hpp - remembers what was computed, and walks it backwards
//
//   tape t;                                   // one for each step; its memory is reused by the next
//   auto x = t.variable(input);               // wants a gradient;   t(input): a constant
//   auto loss = mse_loss(net(x), t(target));  // every op with a variable among its operands is recorded
//   t.backward(loss);                         // x.gradient(), and parameter gradients, are there now
//
// A tape is a flat list of nodes in an arena. A slot is a recorded tensor: where its value and its gradient lie, its
// extents, and how many handles and adjoints will still use the value; when none will, its memory is given back. Values
// of at most 256 bytes lie in the arena itself. Backward walks the list from the newest node to the oldest: no recursion,
// however deep the graph. A pass frees what it has used, so a second pass over the same nodes is an error unless the
// first was told to retain them.
//
// To find where a NaN comes from, call detect_anomaly() before anything is recorded: the first op with a result or a
// gradient that is not finite then ends the work with an anomaly_error that names it. Every value is read once more for
// that; on a GPU it does nothing.
//
// Tensors and views given to a tape by name are referred to and must outlive the backward pass; temporaries are copied.
// A tape and its variables belong to one thread. A variable that outlives its tape is an error when used, never
// undefined.
#pragma once

#include <limbic/ops/op.hpp>
#include <limbic/tape/arena.hpp>

LIMBIC_BEGIN

class tape;
template <class T, int R, class D = default_device> class variable;

struct backward_options {
  bool retain = false;  // keep values and nodes for another pass
  bool guided = false;  // rectifiers pass on what explains, not the gradient: explain/guided_backpropagation.hpp
};

namespace detail {

// Memory outside of the arena that a slot owns.
struct buffer {
  memory* owner;
  void* data;
  std::size_t bytes;
  buffer* before;
  buffer* after;
};

struct slot {
  enum flag : std::uint32_t {
    wants = 1,      // a gradient is to be computed
    assigned = 2,   // the gradient has received its first contribution
    spent = 4,      // the node that made it was freed by a backward pass
    parameter = 8,  // `owner` is the parameter whose value this is, and which holds the gradient
    chosen = 16,    // gradients() was asked for this one
    leads = 32,     // on the way to a chosen one
    pruned = chosen | leads
  };
  void* value = nullptr;
  void* gradient = nullptr;
  union {
    buffer* value_buffer = nullptr;
    void const* owner;
  };
  buffer* gradient_buffer = nullptr;
  std::uint32_t uses = 0;  // live handles, and nodes whose adjoint reads the value
  std::uint32_t flags = 0;

  bool has(std::uint32_t f) const { return (flags & f) != 0; }
  void lead(bool to_chosen) { flags = (flags & ~std::uint32_t{leads}) | (to_chosen ? std::uint32_t{leads} : 0U); }
};
template <int R> struct slot_of : slot {
  limbic::shape<R> extents;
};
template <> struct slot_of<0> : slot {
  static constexpr limbic::shape<0> extents{};
};
template <int R> void set_extents(slot_of<R>* s, shape<R> const& e) {
  if constexpr (R > 0) s->extents = e;
}

struct node;
struct node_kind {
  std::string_view name;
  void (*backward)(tape&, node&, backward_options);
  void (*mark)(node&);    // results lead to a chosen slot when an operand does
  void (*forget)(node&);  // gradients of the results are cleared, for another pass
};
struct node {
  node* before;
  node_kind const* kind;
};

// What variables keep of their tape, so that one that outlives it finds out.
struct tape_state {
  tape* owner;
  std::size_t handles;
  memory* from;
};

// Where a parameter's tangent comes from, and where its part of a Hessian-vector product goes.
struct direction {
  void const* parameter;
  void const* tangent;
  void* result;
  direction* next;
};

}  // namespace detail

class tape {
 public:
  tape() : tape(current_memory(scalar{})) {}
  explicit tape(memory& from) : arena_(from) {
    state_ = ::new (from.allocate(sizeof(detail::tape_state))) detail::tape_state{this, 0, &from};
  }
  tape(tape const&) = delete;
  tape& operator=(tape const&) = delete;
  ~tape() {
    while (buffers_ != nullptr) {
      detail::buffer* const b = buffers_;
      buffers_ = b->after;
      b->owner->deallocate(b->data, b->bytes);
    }
    state_->owner = nullptr;
    if (state_->handles == 0) state_->from->deallocate(state_, sizeof(detail::tape_state));
  }

  // Puts a tensor or a view on the tape as a constant.
  template <operand X> auto operator()(X&& x) { return enter(std::forward<X>(x), 0); }
  // The same, wanting a gradient.
  template <operand X> auto variable(X&& x) {
    static_assert(!std::is_integral_v<element_of<X>>, "limbic: integers have no gradient");
    return enter(std::forward<X>(x), detail::slot::wants);
  }

  // From a scalar (one element), with gradient 1.
  template <class T, int R, class D> void backward(limbic::variable<T, R, D> const& y, backward_options o = {}) {
    if (y.shape().size() != 1)
      fail<shape_error>("backward", "a value of shape ", y.shape(),
                        " is not a scalar: give its cotangent, or reduce it");
    tensor<T, R, D> const one(y.shape(), T(1));
    seed(y, one);
    backward(o);
  }
  // From any tensor, with the gradient of a later scalar with respect to it.
  template <class T, int R, class D, operand C>
  void backward(limbic::variable<T, R, D> const& y, C const& cotangent, backward_options o = {}) {
    seed(y, cotangent);
    backward(o);
  }
  // Several at once: seed each, then backward().
  template <class T, int R, class D, operand C> void seed(limbic::variable<T, R, D> const& y, C const& cotangent) {
    static_assert(std::is_same_v<element_of<C>, T> && rank_of<C> == R, "limbic: a cotangent has the type of its value");
    auto* const s = y.checked_slot("backward");
    if (y.owner() != this) fail<tape_error>("backward", "the value was recorded on another tape");
    if (s->has(detail::slot::spent)) fail<tape_error>("backward", spent_text);
    if (!s->has(detail::slot::wants))
      fail<tape_error>("backward", "the value depends on no parameter, and on nothing entered by tape.variable(x)");
    if (!(as_view(cotangent).shape() == y.shape()))
      fail<shape_error>("backward", "a cotangent of shape ", as_view(cotangent).shape(), " for a value of shape ",
                        y.shape());
    if (retained_) forget();
    auto const to = gradient_sink<T, R, D>(s, nullptr);
    copy(D{}, to, cotangent);
    s->flags |= detail::slot::assigned;
    seeded_ = true;
  }
  void backward(backward_options o = {}) {
    if (!seeded_) fail<tape_error>("backward", "no value was given to start from");
    seeded_ = false;
    retained_ = true;  // what a pass that ends in an error leaves is forgotten by the next one
    for (detail::node* n = last_; n != nullptr; n = n->before) {
      n->kind->backward(*this, *n, o);
      if (o.retain) continue;
      last_ = n->before;
      --nodes_;
    }
    retained_ = o.retain;
  }

  // The first op with a value or a gradient that is not finite is an error from now on.
  void detect_anomaly(bool on = true) { detects_anomaly_ = on; }
  bool detects_anomaly() const { return detects_anomaly_; }  // whether it is

  std::size_t nodes() const { return nodes_; }         // recorded and not yet freed
  std::size_t bytes() const { return arena_.used(); }  // of the arena: nodes, slots, small values

  // ---- for record() and its relatives ------------------------------------------------------------------------------

  // What errors say of a value whose nodes are gone.
  static constexpr std::string_view spent_text =
      "an earlier backward pass freed the nodes behind this value: record it again, or pass {.retain = true} to the "
      "first";

  // The block that outlives the tape while variables refer to it.
  detail::tape_state* state() { return state_; }
  // Where nodes and slots lie.
  arena& memory_of_nodes() { return arena_; }
  // The tangents that direct() gave to parameters.
  detail::direction*& directions() { return directions_; }
  // Whether a segment is computed again here (checkpoint.hpp): what a layer notes of a batch it has noted before.
  bool recomputes() const { return recomputes_; }
  void set_recomputes() { recomputes_ = true; }  // by checkpoint

  // A slot without a value.
  template <int R> detail::slot_of<R>* make_slot(shape<R> const& extents, std::uint32_t flags) {
    auto* const s = arena_.template make<detail::slot_of<R>>();
    s->flags = flags;
    detail::set_extents(s, extents);
    return s;
  }
  // Room for a slot's value.
  template <class T, class D, int R> view<T, R, D> allocate_value(detail::slot_of<R>* s) {
    s->value = allocate<T, D>(s->extents.size(), s->value_buffer);
    return {static_cast<T*>(s->value), s->extents};
  }
  // The value for an adjoint: its shape alone where `needs` does not name it.
  template <class T, class D, int R> view<T const, R, D> value_view(detail::slot_of<R> const* s,
                                                                    bool kept = true) const {
    return {kept ? static_cast<T const*>(s->value) : nullptr, s->extents};
  }
  // The gradient for an adjoint: null where none has come.
  template <class T, class D, int R> view<T const, R, D> gradient_view(detail::slot_of<R> const* s) const {
    return {s->has(detail::slot::assigned) ? static_cast<T const*>(s->gradient) : nullptr, s->extents};
  }
  // Where the gradient of a slot goes: to the parameter whose value it is, else to memory of the tape. `earlier` names
  // gradients that sinks of the same node already write, null at its end.
  template <class T, int R, class D> sink<T, R, D> gradient_sink(detail::slot_of<R>* s, void const* const* earlier) {
    sink<T, R, D> to;
    if (!s->has(pruned_ ? detail::slot::pruned : detail::slot::wants)) return to;
    if (s->has(detail::slot::parameter)) {
      auto const& p = *static_cast<limbic::parameter<T, R, D> const*>(s->owner);
      to = sink<T, R, D>(p.gradient_storage(), p.has_gradient());
    } else {
      if (s->gradient == nullptr) s->gradient = allocate<T, D>(s->extents.size(), s->gradient_buffer);
      to = sink<T, R, D>(view<T, R, D>(static_cast<T*>(s->gradient), s->extents), s->has(detail::slot::assigned));
    }
    for (; earlier != nullptr && *earlier != nullptr; ++earlier) to.add = to.add || *earlier == to.to.data();
    return to;
  }
  // What is written to its gradient from now on is added.
  template <class T, int R, class D> void mark_assigned(detail::slot_of<R>* s) {
    if (!s->has(pruned_ ? detail::slot::pruned : detail::slot::wants)) return;
    s->flags |= detail::slot::assigned;
    if (s->has(detail::slot::parameter)) static_cast<limbic::parameter<T, R, D> const*>(s->owner)->set_has_gradient();
  }

  // One more handle or adjoint will read the value.
  void use(detail::slot* s) { ++s->uses; }
  // One less; with the last one the memory of the value goes.
  void unuse(detail::slot* s) {
    if (--s->uses == 0 && !s->has(detail::slot::parameter) && s->value_buffer != nullptr) {
      release(s->value_buffer);
      s->value = nullptr;
    }
  }
  // Gives back the memory of a gradient that has been passed on.
  void release_gradient(detail::slot* s) {
    if (s->gradient_buffer == nullptr) return;
    release(s->gradient_buffer);
    s->gradient = nullptr;
  }
  // A node, behind the newest.
  void append(detail::node* n) {
    n->before = last_;
    last_ = n;
    ++nodes_;
  }

  // Whether such a pass goes on: see below.
  bool prunes() const { return pruned_; }
  // Runs backward only along the ways to the chosen slots.
  void backward_to_chosen(backward_options o) {
    std::size_t const bytes = (nodes_ + 1) * sizeof(detail::node*);
    auto** const order = static_cast<detail::node**>(arena_.source().allocate(bytes));
    std::size_t k = nodes_;
    for (detail::node* n = last_; n != nullptr; n = n->before) order[--k] = n;
    for (std::size_t i = 0; i < nodes_; ++i) order[i]->kind->mark(*order[i]);
    arena_.source().deallocate(order, bytes);
    struct pruning {
      bool& on;
      ~pruning() { on = false; }
    } const pass{pruned_};
    pruned_ = true;
    backward(o);
  }

 private:
  static constexpr std::size_t small_value = 256;  // bytes

  template <class T, class D> void* allocate(std::ptrdiff_t n, detail::buffer*& owner) {
    // An address of its own even without elements: gradient_sink tells operands apart by it.
    std::size_t const bytes = n > 0 ? static_cast<std::size_t>(n) * sizeof(T) : 1;
    if (is_host<D> && bytes <= small_value)
      return arena_.take(bytes, bytes < alignof(T) ? alignof(T) : bytes < 16 ? alignof(T) : 16);
    detail::buffer* b = free_;
    if (b != nullptr) free_ = b->after;
    else b = arena_.template make<detail::buffer>();
    memory& from = current_memory(D{});
    *b = {&from, from.allocate(bytes), bytes, nullptr, buffers_};
    if (buffers_ != nullptr) buffers_->before = b;
    buffers_ = b;
    owner = b;
    return b->data;
  }
  void release(detail::buffer*& b) {
    b->owner->deallocate(b->data, b->bytes);
    (b->before != nullptr ? b->before->after : buffers_) = b->after;
    if (b->after != nullptr) b->after->before = b->before;
    b->after = free_;
    free_ = b;
    b = nullptr;
  }
  void forget() {
    for (detail::node* n = last_; n != nullptr; n = n->before) n->kind->forget(*n);
    retained_ = false;
  }
  template <class X> auto enter(X&& x, std::uint32_t flags);

  arena arena_;
  detail::tape_state* state_;
  detail::node* last_ = nullptr;
  std::size_t nodes_ = 0;
  detail::buffer* buffers_ = nullptr;
  detail::buffer* free_ = nullptr;
  detail::direction* directions_ = nullptr;
  bool seeded_ = false, retained_ = false, pruned_ = false, recomputes_ = false, detects_anomaly_ = false;
};

// A handle to a tensor on a tape, cheap to copy. As long as it lives, its value (and, after a backward pass, its gradient)
// stays.
template <class T, int R, class D> class variable {
 public:
  // What every operand says of itself: its element type, its device, its number of axes.
  using value_type = T;
  using device = D;
  using recorded_on = tape;
  static constexpr int rank = R;

  variable() = default;
  variable(tape& t, detail::slot_of<R>* s) : state_(t.state()), slot_(s) { hold(); }
  variable(variable const& other) : state_(other.state_), slot_(other.slot_) { hold(); }
  variable(variable&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), slot_(std::exchange(other.slot_, nullptr)) {}
  variable& operator=(variable other) noexcept {
    std::swap(state_, other.state_);
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~variable() {
    if (state_ == nullptr) return;
    if (state_->owner != nullptr) state_->owner->unuse(slot_);
    if (--state_->handles == 0 && state_->owner == nullptr)
      state_->from->deallocate(state_, sizeof(detail::tape_state));
  }

  // Extents of all axes.
  limbic::shape<R> const& shape() const { return checked_slot("variable")->extents; }
  // The extent of one axis, counted from the front.
  std::ptrdiff_t extent(int axis) const { return shape()[axis]; }
  // The number of elements; 1 at rank 0.
  std::ptrdiff_t size() const { return shape().size(); }

  // The value, valid as long as this handle and the tape live.
  view<T const, R, D> value() const {
    auto const* const s = checked_slot("variable");
    return {static_cast<T const*>(s->value), s->extents};
  }
  // The value of a scalar.
  T item() const
    requires is_host<D>
  {
    if (size() != 1) fail<shape_error>("item", "a value of shape ", shape(), " is not a scalar");
    return *value().data();
  }
  // The gradient that the last backward pass computed.
  view<T const, R, D> gradient() const {
    auto const* const s = checked_slot("gradient");
    if (!s->has(detail::slot::wants))
      fail<tape_error>("gradient", "a constant has none: enter it with tape.variable(x)");
    if (!s->has(detail::slot::assigned))
      fail<tape_error>("gradient", "no backward pass has reached this value of shape ", shape());
    return {static_cast<T const*>(s->gradient), s->extents};
  }
  // Whether a backward pass has reached it.
  bool has_gradient() const { return checked_slot("gradient")->has(detail::slot::assigned); }
  // Whether a backward pass computes a gradient for it.
  bool wants_gradient() const { return checked_slot("variable")->has(detail::slot::wants); }

  // The same value as a constant: no gradient flows back through it.
  variable detach() const {
    auto* const s = checked_slot("detach");
    state_->owner->use(s);  // for as long as the tape lives
    auto* const copy = state_->owner->template make_slot<R>(s->extents, 0);
    copy->value = s->value;
    return variable(*state_->owner, copy);
  }

  // The tape; tape_error once it is gone.
  tape* owner() const { return checked_state("variable")->owner; }
  // For record(): where value and gradient lie; tape_error once the tape is gone.
  detail::slot_of<R>* checked_slot(std::string_view op) const {
    checked_state(op);
    return slot_;
  }

 private:
  detail::tape_state* checked_state(std::string_view op) const {
    if (state_ == nullptr) fail<tape_error>(op, "this variable was never recorded, or was moved from");
    if (state_->owner == nullptr) fail<tape_error>(op, "the tape of this variable is gone");
    return state_;
  }
  void hold() {
    if (state_ == nullptr) return;
    ++state_->handles;
    if (state_->owner != nullptr) state_->owner->use(slot_);
  }
  detail::tape_state* state_ = nullptr;
  detail::slot_of<R>* slot_ = nullptr;
};

LIMBIC_END
