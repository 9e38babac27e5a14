#!/usr/bin/env python3
"""Shows that the checks in tools/ can fail: each is given a small tree with one mistake in it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools"


def run(tool, *arguments):
    done = subprocess.run([sys.executable, TOOLS / tool, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.write("config.hpp", "#ifdef __GNUC__\n#define LIMBIC_GNU 1\n#endif")
        self.write("core/shape.hpp", "#include <limbic/config.hpp>\n#include <cstddef>")
        self.write("ops/add.hpp", "#include <limbic/core/shape.hpp>")
        self.write("tape/tape.hpp", '#include "../ops/add.hpp"')
        self.write("infer.hpp", "#include <limbic/ops/add.hpp>")
        self.write("limbic.hpp", "#include <limbic/infer.hpp>\n#include <limbic/tape/tape.hpp>")

    def write(self, name, text, once="#pragma once\n"):
        path = self.root / "include" / "limbic" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{once}{text}\n")


class Layers(Tree):
    def check(self):
        return run("check_layers.py", self.root / "include" / "limbic")

    def refuses(self, name, text, says, once="#pragma once\n"):
        self.write(name, text, once)
        code, output = self.check()
        self.assertEqual(code, 1, output)
        self.assertIn(says, output)

    def test_a_lawful_tree_passes(self):
        code, output = self.check()
        self.assertEqual(code, 0, output)
        self.assertIn("6 headers, 0 problems", output)

    def test_an_op_may_not_include_the_tape(self):
        self.refuses("ops/mul.hpp", "#include <limbic/tape/tape.hpp>", "ops/ may not include tape/")

    def test_a_relative_include_is_no_way_around(self):
        self.refuses("ops/mul.hpp", '#include "../tape/tape.hpp"', "ops/ may not include tape/")

    def test_inference_never_reaches_the_tape(self):
        self.refuses("infer.hpp", "#include <limbic/tape/tape.hpp>", "infer.hpp reaches tape/tape.hpp")

    def test_headers_do_not_include_spines(self):
        self.refuses("tape/x.hpp", "#include <limbic/limbic.hpp>", "includes the spine")

    def test_a_heavy_header_below_a_spine(self):
        self.refuses("core/shape.hpp", "#include <random>", "reaches <random>: core/shape.hpp")

    def test_third_parties_have_one_owner(self):
        self.refuses("core/a.hpp", "#include <Eigen/Dense>", "Eigen is used outside linalg")
        self.refuses("core/a.hpp", "#include <xsimd/xsimd.hpp>", "xsimd is used outside")
        self.refuses("core/a.hpp", "#pragma omp parallel for", "OpenMP is used outside backend")

    def test_compiler_macros_stay_in_config(self):
        self.refuses("core/a.hpp", "#ifdef __AVX2__\n#endif", "__AVX2__ is read outside config.hpp")

    def test_a_macro_in_a_comment_is_none(self):
        self.write("core/a.hpp", "// __AVX2__ and #include <Eigen/Dense>\n/* _OPENMP\n#pragma omp */")
        self.assertEqual(self.check()[0], 0)

    def test_other_mistakes(self):
        self.refuses("core/a.hpp", "#pragma GCC system_header", "hides warnings")
        self.refuses("core/a.hpp", "", "no #pragma once", once="")
        self.refuses("core/a.hpp", "#include <limbic/core/none.hpp>", "limbic/core/none.hpp, which does not exist")
        self.refuses("core/a.hpp", "#include <limbic/core/a.hpp>", "cycle: core/a.hpp -> core/a.hpp")
        self.refuses("attic/a.hpp", "", "not in the law")


class Amalgam(Tree):
    def amalgamate(self, *more):
        return run("amalgamate.py", "--include", self.root / "include", "--out", self.root / "single", *more)

    def test_one_file_each_header_once_in_order(self):
        self.assertEqual(self.amalgamate()[0], 0)
        text = (self.root / "single" / "limbic.hpp").read_text()
        names = ["config.hpp", "core/shape.hpp", "ops/add.hpp", "infer.hpp", "tape/tape.hpp", "limbic.hpp"]
        order = [text.index(f"---- limbic/{name} ") for name in names]
        self.assertEqual(order, sorted(order))
        self.assertEqual(text.count("#include <cstddef>"), 1)
        self.assertEqual(text.count("#pragma once"), 1)
        self.assertNotIn("#include <limbic", text)
        self.assertNotIn(str(self.root), text)
        self.assertNotIn("tape/tape.hpp", (self.root / "single" / "infer.hpp").read_text())

    def test_check_sees_a_stale_file(self):
        self.assertEqual(self.amalgamate("--check")[0], 1)
        self.amalgamate()
        self.assertEqual(self.amalgamate("--check")[0], 0)
        self.write("core/shape.hpp", "#include <limbic/config.hpp>\nint changed;")
        code, output = self.amalgamate("--check")
        self.assertEqual(code, 1)
        self.assertIn("is stale", output)

    def test_a_file_inside_and_outside_of_an_if_is_refused(self):
        self.write("core/extra.hpp", "")
        self.write("core/shape.hpp", "#if LIMBIC_GNU\n#include <limbic/core/extra.hpp>\n#endif")
        self.assertEqual(self.amalgamate()[0], 0)
        self.write("ops/add.hpp", "#include <limbic/core/shape.hpp>\n#include <limbic/core/extra.hpp>")
        code, output = self.amalgamate()
        self.assertEqual(code, 1)
        self.assertIn("include it before that #if", output)

    def test_the_other_branch_is_another_condition(self):
        self.write("core/extra.hpp", "")
        self.write("core/shape.hpp", "#if LIMBIC_GNU\n#include <limbic/core/extra.hpp>\n#else\n"
                                     "#include <limbic/core/extra.hpp>\n#endif")
        self.assertEqual(self.amalgamate()[0], 1)

    def test_outside_first_is_fine(self):
        self.write("core/extra.hpp", "")
        self.write("core/shape.hpp", "#include <limbic/core/extra.hpp>\n#if LIMBIC_GNU\n"
                                     "#include <limbic/core/extra.hpp>\n#endif")
        self.assertEqual(self.amalgamate()[0], 0)


class CompileFail(Tree):
    def pair(self, text):
        path = self.root / "pair.cpp"
        path.write_text(text)
        return run("check_compile_fail.py", path)

    def test_good_pairs_pass(self):
        code, output = self.pair("// expect: the rank\n#ifdef LIMBIC_BAD\nstatic_assert(false, \"the rank\");\n#endif\n")
        self.assertEqual(code, 0, output)

    def test_rotten_pairs_fail(self):
        for text, says in [
                ("// expect: x\n#ifdef LIMBIC_BAD\n#endif\n", "the bad half compiles"),
                ("// expect: x\nint a = none;\n#ifdef LIMBIC_BAD\n#endif\n", "the good half does not compile"),
                ("// expect: the rank\n#ifdef LIMBIC_BAD\nint a = none;\n#endif\n", "does not say 'the rank'"),
                ("// expect: none\n// at most: 0 lines\n#ifdef LIMBIC_BAD\nint a = none;\n#endif\n", "more than 0"),
                ("#ifdef LIMBIC_BAD\nint a = none;\n#endif\n", "states no")]:
            code, output = self.pair(text)
            self.assertEqual(code, 1, output)
            self.assertIn(says, output)


class CudaOps(Tree):
    def setUp(self):
        super().setUp()
        self.write("ops/sub.hpp", 'template <int R> struct sub_op : detail::base<R> {\n  static constexpr std::string_view name = "sub";\n};')
        self.calls('s.check("sub", [](auto const& a) { return a; }, x);')

    def calls(self, text):
        path = self.root / "cuda" / "tests" / "ops.hpp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def check(self, *more):
        return run("check_cuda_ops.py", self.root, *more)

    def test_every_op_is_called(self):
        code, output = self.check()
        self.assertEqual(code, 0, output)
        self.assertIn("1 ops, 0 problems", output)

    def test_a_missing_op(self):
        self.write("linalg/norm.hpp", 'struct norm_op {\n  static constexpr std::string_view name = "norm";\n};')
        code, output = self.check()
        self.assertEqual(code, 1)
        self.assertIn('norm_op: no s.check("norm", ...)', output)

    def test_a_call_of_nothing(self):
        self.calls('s.check("sub", f, x); s.check("add", f, x);')
        code, output = self.check()
        self.assertEqual(code, 1)
        self.assertIn('s.check("add", ...) names no op', output)

    def test_an_object_without_the_op(self):
        code, output = self.check("--object", sys.executable)
        self.assertEqual(code, 1, output)
        self.assertIn("sub_op (sub): no node on cuda for float", output)


class Docs(unittest.TestCase):
    """Which comment describes what, by leaving one out."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def write(self, text, name="ops/add.hpp", head="// limbic/ops/add.hpp - a sum\n"):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{head}#pragma once\n\nLIMBIC_BEGIN\n\n{text}\n\nLIMBIC_END\n")
        return path

    def check(self):
        return run("docs.py", "--check", "--root", self.root)

    def described(self, text, **more):
        self.write(text, **more)
        code, output = self.check()
        self.assertEqual(code, 0, output)
        self.assertNotIn("docs: 0 public", output)

    def missing(self, text, *names, **more):
        self.write(text, **more)
        code, output = self.check()
        self.assertEqual(code, 1, output)
        for name in names:
            self.assertIn(f"limbic::{name} has no description", output)
        self.assertIn(f"{len(names)} without a description", output)

    def test_functions(self):
        self.described("// Something.\ntemplate <class T>\n  requires(sizeof(T) > 1)\nauto f(T x) { return x; }")
        self.described("inline int f() { return 1; }  // something")
        self.missing("template <class T>\n  requires(sizeof(T) > 1)\nauto f(T x) { return x; }", "f")
        self.missing("// Something.\n\nint f();", "f")
        self.missing("int f() {  // how it works\n  return 1;\n}", "f")
        self.missing("// Something.\nint f();\nint g();", "g")

    def test_overloads(self):
        self.described("// Something.\nint f(int);\n\nint f(double);")

    def test_classes(self):
        self.described("struct s {  // a thing\n  int a = {3};  // one\n};")
        self.missing("struct s {\n  int a, b[2] = {1, 2};\n private:\n  int c;\n};", "s", "s::a", "s::b")
        self.missing("// A thing.\nclass s {\n  int a;\n public:\n  s();\n  ~s();\n  int size() const;\n};", "s::size")
        self.missing("enum class e { a };", "e", "e::a")

    def test_groups(self):
        self.described("// A thing.\nstruct s {\n  // Both.\n  int a;\n  int b;\n};")
        self.missing("// A thing.\nstruct s {\n  // One.\n  int a;\n\n  int b;\n};", "s::b")

    def test_the_rest(self):
        self.missing("template <class T> using u = T;\ntemplate <class T> concept c = requires(T t) { t; };\n"
                     "inline constexpr int v{1};", "u", "c", "v")
        self.write("#define LIMBIC_X 1")
        self.assertIn("macro LIMBIC_X has no description", self.check()[1])

    def test_private(self):
        self.write("namespace detail {\nint f();\n}\nint f_();")
        self.assertIn("docs: 0 public names, 0 without", self.check()[1])

    def test_heads(self):
        head = "// limbic/ops/add.hpp - a sum\n//\n//   y = a + alpha b\n//\n//   twice(x)    a + a\n"
        text = "struct add_op {\n  double alpha = 1;\n};\nint add();\nint twice();"
        self.described(text, head=head)
        self.missing(text, "add_op::alpha", "twice")
        self.missing("int other();", "other", head=head)
        self.write("", head="")
        self.assertIn("does not say what the file is", self.check()[1])

    def test_protocols(self):
        self.write("", "ops/op.hpp", "// limbic/ops/op.hpp - an op\n//\n//   needs     the values\n")
        self.described("struct add_op {\n  static constexpr int needs = 1;\n};")
        self.missing("struct add_op {\n  static constexpr int neds = 1;\n};", "add_op::neds")

    def test_what_doxygen_reads(self):
        path = self.write("// Less <than> `a < b`.\n//\n//   y = x   *bold*\nint f();")
        code, output = run("docs.py", "--filter", path)
        self.assertEqual(code, 0, output)
        self.assertIn("/// @file\n/// @brief a sum\n", output)
        self.assertIn("/// Less \\<than\\> `a < b`.\n///\n/// @code{.unparsed}\n///    y = x   *bold*\n/// @endcode\nint f();", output)


if __name__ == "__main__":
    unittest.main()
