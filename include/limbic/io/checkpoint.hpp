// limbic/io/checkpoint.hpp - all that a training run must remember, in one file, to go on as if it had never stopped
//
//   training_state state;                          the list of what is kept, under names
//   state("model", net);
//   state("optimizer", optimizer);
//   state("random", random);
//   state("epoch", epoch);
//
//   if (resume) state.load("run.safetensors");
//   for (; epoch < epochs; ) {
//     ...
//     ++epoch;
//     state.save("run.safetensors");
//   }
//
// The same list saves and loads, so nothing can be kept and forgotten on the way back; a resumed run computes the same
// bits. Named may be
//
//   numbers, truth values, enumerations, texts       std::int64_t epoch; double best; std::string label;
//   parameters and tensors, on the CPU               a parameter's value, and whether it is trainable
//   std::vector of numbers                           takes the length that the file has: losses so far
//   whatever has each(f), and lists of the above     models, optimisers, averages, reduce_on_plateau, early_stopping, rng,
//                                                    batches, scalers; a struct of yours that names its members
//
// What is named as const is not read but compared: an option that must be the same. So a file of another optimiser, of
// other options or another model is refused. Not kept are gradients: save between a step and the next backward pass.
//
// The file is a safetensors file. Tensors have the names that their owners give, joined by dots; of the rest
// `__metadata__` holds the texts: numbers in decimal digits that bring every bit back, "format", and "checksum", a CRC-32
// of all contents. With an empty name in place of "model" the parameters have their PyTorch names.
//
// load() checks everything before it changes anything: io_error names the file, what was expected and what came, and
// all objects stay as they were. save() replaces the file as a whole (io/file.hpp). The objects named must outlive the
// training_state and stay where they are.
#pragma once

#include <limbic/io/crc32.hpp>
#include <limbic/io/model.hpp>

#include <charconv>

LIMBIC_BEGIN

namespace detail {

// Numbers as texts that keep every bit.
template <class T> std::string number_text(T x) {
  char digits[64];
  auto const end = std::to_chars(digits, digits + sizeof digits, x).ptr;
  return std::string(digits, end);
}

// How an object that is no tensor turns into a text and back; read() gives false where the text is none of its values,
// and with a null object only says so.
struct text_form {
  std::string (*write)(void const* object);
  bool (*read)(std::string_view text, void* object);
  std::string_view kind;
};
template <class T> inline constexpr text_form form_of_number{
    [](void const* object) { return number_text(*static_cast<T const*>(object)); },
    [](std::string_view text, void* object) {
      T x{};
      auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), x);
      if (problem != std::errc() || end != text.data() + text.size()) return false;
      if (object != nullptr) *static_cast<T*>(object) = x;
      return true;
    },
    std::is_floating_point_v<T> ? "a number"
    : std::is_signed_v<T>       ? "a whole number"
                                : "a whole number, not negative"};
inline constexpr text_form form_of_truth{
    [](void const* object) { return std::string(*static_cast<bool const*>(object) ? "true" : "false"); },
    [](std::string_view text, void* object) {
      if (object != nullptr) *static_cast<bool*>(object) = text == "true";
      return text == "true" || text == "false";
    },
    "true or false"};
template <class S> inline constexpr text_form form_of_text{
    [](void const* object) { return std::string(*static_cast<S const*>(object)); },
    [](std::string_view text, void* object) {
      if constexpr (std::is_same_v<S, std::string>)
        if (object != nullptr) static_cast<S*>(object)->assign(text);
      return true;
    },
    "a text"};

// What lies behind the names of a checkpoint, as it is at this moment.
struct kept_text {
  std::string name;
  void const* object;
  text_form const* form;
  bool fixed;  // compared instead of read
};
struct kept_array {
  named_view stored;
  void* list;                                       // a std::vector, null for what has a fixed shape
  void* (*resize)(void* list, std::size_t length);  // returns its data
  bool fixed;
};

template <class M> inline constexpr bool is_number_list = false;
template <class T, class A> inline constexpr bool is_number_list<std::vector<T, A>> =
    std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

struct kept_things {
  std::vector<kept_text> texts;
  std::vector<kept_array> arrays;

  template <class M> void add(std::string const& name, M& member, bool fixed) {
    using X = std::remove_const_t<M>;
    if constexpr (std::is_const_v<M>) {
      add(name, const_cast<X&>(member), true);  // each() is never const: the flag remembers
    } else if constexpr (is_parameter<X>) {
      add(name, member.value, fixed);
      add(name + ".trainable", member.trainable, fixed);
    } else if constexpr (is_tensor<X>) {
      static_assert(is_host<typename X::device>, "limbic: a checkpoint keeps tensors on the CPU; copy the model there");
      arrays.push_back({named_view(name, member), nullptr, nullptr, fixed});
    } else if constexpr (std::is_same_v<X, bool>) {
      texts.push_back({name, &member, &form_of_truth, fixed});
    } else if constexpr (std::is_arithmetic_v<X>) {
      texts.push_back({name, &member, &form_of_number<X>, fixed});
    } else if constexpr (std::is_enum_v<X>) {
      texts.push_back({name, &member, &form_of_number<std::underlying_type_t<X>>, fixed});
    } else if constexpr (std::is_same_v<X, std::string> || std::is_same_v<X, std::string_view>) {
      if (std::is_same_v<X, std::string_view> && !fixed)
        fail<argument_error>("checkpoint", "'", name, "' is a std::string_view, which owns no text to be read into");
      texts.push_back({name, &member, &form_of_text<X>, fixed});
    } else if constexpr (is_number_list<X>) {
      using T = typename X::value_type;
      view<T, 1, scalar> const all(member.data(), shape<1>{{static_cast<std::ptrdiff_t>(member.size())}});
      auto const resize = [](void* list, std::size_t length) -> void* {
        static_cast<X*>(list)->resize(length);
        return static_cast<X*>(list)->data();
      };
      arrays.push_back({named_view(name, all), &member, resize, fixed});
    } else if constexpr (requires { member.each(nothing_called{}); }) {
      member.each([&](std::string_view part, auto& inner) { add(joined(name, part), inner, fixed); });
    } else if constexpr (requires {
                           member.has_value();
                           *member;
                         }) {
      if (member.has_value()) add(name, *member, fixed);
    } else if constexpr (std::is_array_v<X> || requires { member.begin() != member.end(); }) {
      std::size_t i = 0;
      for (auto& inner : member) add(joined(name, std::to_string(i++)), inner, fixed);
    } else {
      static_assert(is_tensor<X>, "limbic: a checkpoint keeps numbers, texts, tensors, and what names them by each(f)");
    }
  }

 private:
  static std::string joined(std::string const& name, std::string_view part) {
    return name.empty() || part.empty() ? name + std::string(part) : name + "." + std::string(part);
  }
};

}  // namespace detail

class training_state {
 public:
  // Adds a member. Order does not matter; names must differ.
  template <class M> training_state& operator()(std::string_view name, M& member) {
    members_.push_back(
        {std::string(name), &member, [](std::string const& n, void const* object, detail::kept_things& to) {
           to.add(n, *static_cast<M*>(const_cast<void*>(object)), false);
         }});
    return *this;
  }

  // Replaces the file by what the list holds now.
  void save(std::string const& path) const {
    auto const kept = collect();
    file_metadata metadata{{"format", format}};
    for (auto const& t : kept.texts) metadata.emplace_back(t.name, t.form->write(t.object));
    std::vector<named_view> views;
    std::vector<tensor_entry> entries;
    for (auto const& a : kept.arrays) {
      views.push_back(a.stored);
      entries.push_back({a.stored.name, a.stored.type, a.stored.shape, a.stored.bytes()});
    }
    metadata.emplace_back("checksum", checksum(metadata, entries));
    save_safetensors(path, views, metadata);
  }

  // allow_extra: what the file holds beyond this list is skipped, as when only the model is wanted.
  void load(std::string const& path, load_options const& options = {}) const {
    safetensors_file const file(path);
    std::string const* const written = file.metadata("format");
    if (written == nullptr || *written != format) wrong(path, "this is no checkpoint: '", format, "' is not in it");
    std::string const* const sum = file.metadata("checksum");
    if (sum == nullptr || *sum != checksum(file.metadata(), file.entries()))
      wrong(path, "the file is damaged: its contents do not have the checksum ", sum == nullptr ? "expected" : *sum);

    auto kept = collect();
    for (bool const fixed : {true, false})  // first what says that this is another optimiser, then what follows from it
      for (auto const& t : kept.texts)
        if (t.fixed == fixed) check(file, t);
    for (auto const& a : kept.arrays) check(file, a);
    if (!options.allow_extra) check_extra(file, kept);

    // Room first: a length that memory refuses must not leave half of the objects changed.
    for (auto const& a : kept.arrays)
      if (a.resize != nullptr && !a.fixed) reserve(file, a);
    for (auto const& t : kept.texts)
      if (!t.fixed) t.form->read(*file.metadata(t.name), const_cast<void*>(t.object));
    for (auto const& a : kept.arrays) {
      if (a.fixed) continue;
      auto const& bytes = file.find(a.stored.name)->bytes;
      void* const to = a.resize == nullptr ? const_cast<void*>(a.stored.data)
                                           : a.resize(a.list, bytes.size() / detail::describe(a.stored.type).size);
      if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    }
  }

 private:
  static constexpr char const* format = "limbic-checkpoint/1";

  struct named_member {
    std::string name;
    void const* object;
    void (*add)(std::string const& name, void const* object, detail::kept_things& to);
  };

  template <class... Parts> [[noreturn]] LIMBIC_COLD static void wrong(std::string const& path, Parts const&... parts) {
    fail<io_error>("checkpoint", detail::shown(path), ": ", parts...);
  }

  // Anew each time: what an optimiser remembers may have been allocated since the last.
  detail::kept_things collect() const {
    detail::kept_things kept;
    for (auto const& m : members_) m.add(m.name, m.object, kept);
    std::vector<std::string_view> names{"format", "checksum"};
    for (auto const& t : kept.texts) names.push_back(t.name);
    for (auto const& a : kept.arrays) names.push_back(a.stored.name);
    std::sort(names.begin(), names.end());
    auto const twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
      fail<argument_error>("checkpoint", "every member needs a name of its own, '", *twice, "' is taken");
    return kept;
  }

  // Of all names and contents in the order of the names, wherever they lie in the file.
  static std::string checksum(file_metadata texts, std::vector<tensor_entry> entries) {
    std::sort(texts.begin(), texts.end());
    std::sort(entries.begin(), entries.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
    std::uint32_t sum = 0;
    auto const take = [&](std::string_view s) {
      sum = crc32(std::as_bytes(std::span(s.data(), s.size())), sum);
      sum = crc32(std::as_bytes(std::span("", 1)), sum);
    };
    for (auto const& [key, value] : texts)
      if (key != "checksum") take(key), take(value);
    for (auto const& e : entries) {
      take(e.name);
      take(detail::describe(e.type).name);
      take(detail::shown(e.shape));
      sum = crc32(e.bytes, sum);
    }
    return detail::number_text(sum);
  }

  static void check(safetensors_file const& file, detail::kept_text const& t) {
    std::string const* const came = file.metadata(t.name);
    if (came == nullptr) wrong(file.path(), "there is no '", t.name, "', expected ", t.form->kind);
    if (!t.form->read(*came, nullptr))
      wrong(file.path(), "'", t.name, "' is '", came->substr(0, 40), "', expected ", t.form->kind);
    if (!t.fixed) return;
    std::string const here = t.form->write(t.object);
    if (*came != here) wrong(file.path(), "'", t.name, "' is ", came->substr(0, 80), ", expected ", here);
  }
  static void check(safetensors_file const& file, detail::kept_array const& a) {
    auto const& here = a.stored;
    tensor_entry const* const came = file.find(here.name);
    if (came == nullptr) wrong(file.path(), "there is no tensor '", here.name, "'");
    if (came->type != here.type)
      wrong(file.path(), "tensor '", here.name, "' holds ", detail::describe(came->type).name, ", expected ",
            detail::describe(here.type).name);
    bool const grows = a.resize != nullptr && !a.fixed;
    if (grows ? came->shape.size() != 1 : came->shape != here.shape)
      wrong(file.path(), "tensor '", here.name, "' has shape ", detail::shown(came->shape), ", expected ",
            grows ? "rank 1" : detail::shown(here.shape));
    if (a.fixed && !std::ranges::equal(came->bytes, here.bytes()))
      wrong(file.path(), "tensor '", here.name, "' has other elements than expected");
  }
  static void check_extra(safetensors_file const& file, detail::kept_things const& kept) {
    std::vector<std::string_view> names{"format", "checksum"};
    for (auto const& t : kept.texts) names.push_back(t.name);
    for (auto const& a : kept.arrays) names.push_back(a.stored.name);
    std::sort(names.begin(), names.end());
    auto const expected = [&](std::string_view name) {
      if (!std::binary_search(names.begin(), names.end(), name))
        wrong(file.path(), "it holds '", name, "', which is not expected");
    };
    for (auto const& e : file.entries()) expected(e.name);
    for (auto const& [key, value] : file.metadata()) expected(key);
  }

  // The vector grows, and shrinks back: from now on its capacity suffices.
  static void reserve(safetensors_file const& file, detail::kept_array const& a) {
    auto const length = [&](std::size_t bytes) { return bytes / detail::describe(a.stored.type).size; };
    std::size_t const now = length(a.stored.bytes().size()), then = length(file.find(a.stored.name)->bytes.size());
    if (then <= now) return;
    a.resize(a.list, then);
    a.resize(a.list, now);
  }

  std::vector<named_member> members_;
};

LIMBIC_END
