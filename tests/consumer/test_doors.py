#!/usr/bin/env python3
"""Goes through every door to the library as its user would, outside of this repository and with warnings as errors.

    python3 tests/consumer/test_doors.py [-v] [NAME...]

find_package (from a prefix that was moved after the installation), add_subdirectory, FetchContent (from a folder, and from
a clone), pkg-config, the single headers, and include/ on the path; with xsimd and Eigen, and on a system without them.
"""
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests" / "consumer"
STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
OPTIONAL = ("xsimd", "eigen3", "Eigen")
VERSION = re.search(r"project\(limbic VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def call(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    return unittest.skipIf(missing, f"no {' and no '.join(missing)} here")


class Doors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.consumer = cls.folder / "consumer"  # a copy, so that nothing is found beside it
        shutil.copytree(HERE, cls.consumer)
        built, installed, cls.prefix = cls.folder / "built", cls.folder / "installed", cls.folder / "moved here"
        for command in (["-S", ROOT, "-B", built, "-DLIMBIC_BUILD_TESTS=OFF", "-DLIMBIC_BUILD_EXAMPLES=OFF",
                         "-DLIMBIC_BUILD_BENCHMARKS=OFF", *cls.generator()], ["--install", built, "--prefix", installed]):
            done = call("cmake", *command)
            assert done.returncode == 0, done.stdout + done.stderr
        cls.manifest = (built / "install_manifest.txt").read_text().split("\n")
        cls.installed_to = installed
        installed.rename(cls.prefix)

    @staticmethod
    def generator():
        return ["-G", "Ninja"] if shutil.which("ninja") else []

    def good(self, *command, **more):
        done = call(*command, **more)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def says_version(self, program):
        self.assertEqual(self.good(program).strip(), f"limbic {VERSION}")

    def project(self, *options):
        """Configures the consumer; the result of that, and a function that builds and runs it."""
        build = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        done = call("cmake", "-S", self.consumer, "-B", build, "-DCMAKE_BUILD_TYPE=None", *self.generator(), *options)

        def finish():
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.good("cmake", "--build", build)
            self.says_version(build / "consumer")
        return done, finish

    def compiled(self, compiler, *options):
        """Compiles and runs the consumer without CMake."""
        program = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "consumer"
        self.good(compiler, *STRICT, self.consumer / "main.cpp", *options, "-o", program, cwd=self.folder)
        self.says_version(program)

    # ---- find_package -----------------------------------------------------------------------------------------------
    def package(self, *options):
        return self.project(f"-DCMAKE_PREFIX_PATH={self.prefix}", *options)

    def test_package_moved(self):
        done, finish = self.package()
        self.assertIn(f"limbic {VERSION} in {self.prefix}", done.stdout)
        finish()
        for path in self.prefix.rglob("*"):
            if path.is_file() and path.suffix in (".cmake", ".pc"):
                self.assertNotIn(str(self.installed_to), path.read_text(), path)

    def test_package_of_another_version(self):
        major, minor, patch = map(int, VERSION.split("."))
        for wanted, good in [(f"{major}.{minor}", True), (VERSION, True), (f"{major}.{minor + 1}", False),
                             (f"{major + 1}", False), (f"{major}.{minor}.{patch + 1}", False)]:
            done, _ = self.package(f"-DWANTED={wanted}")
            self.assertEqual(done.returncode == 0, good, f"{wanted}\n{done.stderr}")
            if not good:
                self.assertIn("that is compatible", done.stderr)

    def test_package_of_another_word_size(self):
        script = self.folder / "word_size.cmake"
        script.write_text(f"""cmake_minimum_required(VERSION 3.25)
set(CMAKE_SIZEOF_VOID_P 2)
set(PACKAGE_FIND_VERSION {VERSION})
string(REPLACE "." ";" parts {VERSION})
list(GET parts 0 PACKAGE_FIND_VERSION_MAJOR)
list(GET parts 1 PACKAGE_FIND_VERSION_MINOR)
include("{self.prefix}/share/cmake/limbic/limbic-config-version.cmake")
message("${{PACKAGE_VERSION_EXACT}} ${{PACKAGE_VERSION_COMPATIBLE}} unsuitable '${{PACKAGE_VERSION_UNSUITABLE}}'")
""")
        self.assertIn("TRUE TRUE unsuitable ''", call("cmake", "-P", script).stderr)

    def test_package_components(self):
        done, finish = self.package("-DCOMPONENTS=xsimd;Eigen;OpenMP",
                                    "-DDEFINITIONS=CONSUMER_EIGEN;EXPECTED_SIMD=1;EXPECTED_OPENMP=1")
        if "limbic_FOUND to FALSE" in done.stderr:
            self.skipTest("xsimd, Eigen or OpenMP is missing here")
        finish()
        done, _ = self.package("-DCOMPONENTS=fortran")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("fortran", done.stderr)

    def test_package_without_xsimd_and_eigen(self):
        without = [f"-DCMAKE_CXX_FLAGS={' '.join(self.bare('g++'))}", "-DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON",
                   "-DCMAKE_IGNORE_PATH=/usr/include;/usr/local/include", "-DCMAKE_CXX_COMPILER=g++"]
        _, finish = self.package(*without, "-DDEFINITIONS=EXPECTED_SIMD=0")
        finish()
        done, _ = self.package(*without, "-DCOMPONENTS=Eigen")
        self.assertNotEqual(done.returncode, 0)

    def test_uninstall_leaves_nothing(self):
        files = {path.relative_to(self.prefix) for path in self.prefix.rglob("*") if not path.is_dir()}
        self.assertEqual(files, {pathlib.Path(line).relative_to(self.installed_to) for line in self.manifest if line})
        folders = {"/".join(path.parts[:3 if path.parts[0] == "share" else 2]) for path in files}
        self.assertEqual(folders, {"include/limbic", "include/limbic_cuda", "share/cmake/limbic", "share/doc/limbic",
                                   "share/limbic/single_include", "share/pkgconfig/limbic.pc"})
        headers = {path.relative_to(ROOT) for path in (ROOT / "include").rglob("*.hpp")}
        self.assertEqual(headers, {path for path in files if path.parts[:2] == ("include", "limbic")})

    # ---- from source ------------------------------------------------------------------------------------------------
    def test_subdirectory(self):
        self.project("-DDOOR=subdirectory", f"-DLIMBIC_SOURCE={ROOT}")[1]()

    def test_fetch_content(self):
        self.project("-DDOOR=fetch", f"-DLIMBIC_SOURCE={ROOT}")[1]()

    @needs("git")
    def test_fetch_content_clones(self):
        """What a clone of this checkout would hold: what git ignores is missing."""
        git = ["git", "-c", "safe.directory=*", "-c", "user.name=consumer", "-c", "user.email=consumer@localhost"]
        listed = call(*git, "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
        if listed.returncode != 0:
            self.skipTest("not a git checkout")
        repository = self.folder / "repository"
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (repository / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, repository / name)
        for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
            self.good(*git, *command, cwd=repository)
        self.project("-DDOOR=clone", f"-DLIMBIC_SOURCE=file://{repository}")[1]()

    # ---- without CMake ----------------------------------------------------------------------------------------------
    @needs("pkg-config")
    def test_pkg_config(self):
        around = {**os.environ, "PKG_CONFIG_PATH": str(self.prefix / "share" / "pkgconfig")}
        ask = functools.partial(call, "pkg-config", env=around)
        self.assertEqual(ask("--modversion", "limbic").stdout.strip(), VERSION)
        self.assertEqual(ask("--atleast-version=0.1", "limbic").returncode, 0)
        self.assertNotEqual(ask("--atleast-version=99", "limbic").returncode, 0)
        self.assertEqual(ask("--libs", "limbic").stdout.strip(), "")
        # As in a Makefile: the shell splits what pkg-config says.
        program = self.folder / "by_pkg_config"
        self.good("sh", "-c", f'eval g++ {" ".join(STRICT)} consumer/main.cpp -o by_pkg_config '
                  '"$(pkg-config --cflags limbic)"', cwd=self.folder, env=around)
        self.says_version(program)

    def test_single_headers(self):
        for compiler in ("g++", "clang++"):
            if not shutil.which(compiler):
                continue
            for name, macro in (("limbic", "CONSUMER_TRAINS"), ("infer", "CONSUMER_INFERS")):
                with self.subTest(compiler=compiler, header=name):
                    alone = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
                    (alone / "limbic").mkdir()
                    shutil.copy(self.prefix / "share/limbic/single_include/limbic" / f"{name}.hpp", alone / "limbic")
                    self.compiled(compiler, f"-I{alone}", f"-D{macro}")

    def test_include_path(self):
        self.compiled("g++", f"-I{ROOT / 'include'}")

    def bare(self, compiler):
        """Flags that take the compiler to a system where xsimd and Eigen are not installed."""
        searched = call(compiler, "-E", "-v", "-x", "c++", "/dev/null").stderr
        folders = re.search(r"#include <\.\.\.> search starts here:\n(.*?)End of search list", searched, re.S).group(1)
        flags = ["-nostdinc", "-nostdinc++"]
        for number, folder in enumerate(folders.split("\n")):
            folder = pathlib.Path(folder.strip()) if folder.strip() else None
            if folder is None:
                continue
            if any((folder / name).exists() for name in OPTIONAL):
                stand_in = self.folder / f"bare_{compiler}_{number}"
                stand_in.mkdir(exist_ok=True)
                for entry in folder.iterdir():
                    link = stand_in / entry.name
                    if entry.name not in OPTIONAL and not link.is_symlink():
                        link.symlink_to(entry)
                folder = stand_in
            flags.append(f"-isystem{folder}")
        return flags

    def test_include_path_without_xsimd_and_eigen(self):
        for compiler in ("g++", "clang++"):
            if shutil.which(compiler):
                self.compiled(compiler, f"-I{ROOT / 'include'}", "-DEXPECTED_SIMD=0", *self.bare(compiler))


if __name__ == "__main__":
    unittest.main()
