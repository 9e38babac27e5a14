#!/usr/bin/env python3
"""Shows that reference_tests can fail:  test_runner.py RUNNER [DATA_DIR]

Builds sets of cases in a temporary folder from the packed ones, spoils them in one way each, and checks the exit code
and the counts. Standard library only.
"""
import copy
import os
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
import pack_reference  # noqa: E402

LINE = re.compile(r"^(\S+) (scalar|simd): (\d+) passed, (\d+) failed, (\d+) skipped$")
problems = []


def check(good, what):
    if not good:
        problems.append(what)
        print("FAILED: " + what)


def run(*arguments):
    """Exit code, {(family, backend): (passed, failed, skipped)}, everything printed."""
    done = subprocess.run([runner, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = [LINE.match(line) for line in done.stdout.splitlines()]
    counts = {(m[1], m[2]): (int(m[3]), int(m[4]), int(m[5])) for m in lines if m}
    check(len(counts) == sum(m is not None for m in lines), "a family and backend printed twice")
    return done.returncode, counts, done.stdout


def spoiled(raw, dtype, at):
    """The bytes with one element changed, far beyond any tolerance."""
    code = {"float64": "<d", "int64": "<q"}[dtype]
    (x,) = struct.unpack_from(code, raw, 8 * at)
    out = bytearray(raw)
    struct.pack_into(code, out, 8 * at, x + (1 if dtype == "int64" else 1e-3 * max(1.0, abs(x))))
    return bytes(out)


class Folder:
    """A temporary set whose folders tell nothing: every name in it is a number."""

    def __init__(self):
        self.where = tempfile.TemporaryDirectory()
        self.path = self.where.name
        self.count = 0

    def add(self, case, arrays):
        case = copy.deepcopy(case)
        case["name"] = "case%d" % self.count
        folder = os.path.join(self.path, "part%d" % (self.count % 7), str(self.count))
        self.count += 1
        pack_reference.write_case(folder, case, arrays)
        return folder


def one(case, arrays, expected, what, damage=None):
    """A set of one case must end with the exit code `expected`. `damage` gets the folder, after it was written."""
    folder = Folder()
    where = folder.add(case, arrays)
    if damage:
        damage(where)
    code, counts, text = run("--dir", folder.path)
    check(code == expected, "%s: exit code %d, expected %d\n%s" % (what, code, expected, text))
    return counts


def passes(case, arrays):
    """The case and its arrays, if it is of level core, passes, and has an array that files can be cut from."""
    folder = Folder()
    folder.add(case, arrays)
    counts = run("--dir", folder.path)[1]
    first = next(a for a in case["arrays"] if a["role"] == "expected")
    whole = case["level"] == "core" and first["dtype"] == "float64" and arrays[first["name"]]
    return (case, arrays) if whole and set(counts.values()) == {(1, 0, 0)} else None


def main():
    global runner
    runner = sys.argv[1]
    data = sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "data")

    code, whole, text = run("--dir", data)
    check(code == 0, "the packed set itself: exit code %d\n%s" % (code, text))
    with tempfile.TemporaryDirectory() as plain:
        pack_reference.unpack(data, plain)
        check(run("--dir", plain) == (code, whole, text), "folders and packed files give different reports")

    # every array of every case is looked at: spoil one at a time, and each copy must fail
    base = None
    for family in sorted({family for (family, _), (passed, _, _) in whole.items() if passed}):
        _, cases = pack_reference.read_packed(os.path.join(data, family + ".safetensors"))
        clean, folder, copies = Folder(), Folder(), 0
        for case, arrays in cases.values():
            clean.add(case, arrays)
            base = base or passes(case, arrays)
            for array in case["arrays"]:
                raw = arrays[array["name"]]
                if array["role"] in ("expected", "expected_grad") and raw:
                    at = copies * 7919 % (len(raw) // 8)
                    folder.add(case, dict(arrays, **{array["name"]: spoiled(raw, array["dtype"], at)}))
                    copies += 1
        _, counts, text = run("--dir", clean.path)
        for backend in ("scalar", "simd"):
            check(counts.get((family, backend)) == whole[family, backend],
                  "%s: other counts under other names\n%s" % (family, text))
        code, counts, text = run("--dir", folder.path)
        check(code == 1, "%s: exit code %d for spoiled cases" % (family, code))
        for backend in ("scalar", "simd"):
            passed, failed, skipped = counts.get((family, backend), (0, 0, 0))
            good = passed == 0 and failed > 0 and failed + skipped == copies
            check(good and bool(skipped) == bool(whole[family, backend][2]), "%s %s: %d passed, %d failed, %d skipped "
                  "of %d spoiled cases" % (family, backend, passed, failed, skipped, copies))
        print("%s: %d spoiled copies of %d cases" % (family, copies, len(cases)))
    if not base:
        check(False, "no case of level core passes")
        return

    case, arrays = base
    case = copy.deepcopy(case)
    first = next(a for a in case["arrays"] if a["role"] == "expected")
    raw = arrays[first["name"]]
    file = first["file"]
    one(case, arrays, 0, "an untouched case")

    def change(**keys):
        return dict(copy.deepcopy(case), **keys)

    def more_arrays(*more):
        return dict(copy.deepcopy(case), arrays=case["arrays"] + list(more))

    unknown = dict(case["attributes"], an_option_of_tomorrow=3)
    one(change(attributes=unknown), arrays, 1, "core, unknown option")
    counts = one(change(attributes=unknown, level="extra"), arrays, 0, "extra, unknown option")
    check(all(c == (0, 0, 1) for c in counts.values()), "extra with an unknown option is skipped")
    counts = one(change(op="an_operation_of_tomorrow"), arrays, 0, "unknown operation")
    check(all(c == (0, 0, 1) for c in counts.values()), "an unknown operation is skipped")
    counts = one(change(family="a_family_of_tomorrow"), arrays, 0, "unknown family")
    check(all(c == (0, 0, 1) for c in counts.values()), "an unknown family is skipped")

    extra = {"name": "one_more", "dtype": "float64", "shape": [2], "file": "one_more.npy"}
    values = dict(arrays, one_more=struct.pack("<2d", 1, 2))
    one(more_arrays(dict(extra, role="expected")), values, 1, "an expected array that nobody produces")
    one(more_arrays(dict(extra, role="input")), values, 1, "an input array that nobody uses")
    one(more_arrays(dict(extra, role="expected_grad", of="nothing")), values, 2, "a gradient of nothing")
    one(more_arrays(dict(extra, role="guess")), values, 2, "an unknown role")
    reshaped = copy.deepcopy(case)
    for array in reshaped["arrays"]:
        if array["name"] == first["name"] or array.get("of") == first["name"]:
            array["shape"] = [1] + array["shape"]
    one(reshaped, arrays, 1, "another shape, the same values")

    for key in ("schema", "family", "op", "level", "attributes", "tolerance", "arrays"):
        broken = copy.deepcopy(case)
        del broken[key]

        def rewrite(folder):
            with open(os.path.join(folder, "case.json"), "w", encoding="ascii") as f:
                f.write(pack_reference.compact(broken))

        one(case, arrays, 2, "case.json without " + key, rewrite)
    one(change(schema="limbic-reference/2"), arrays, 2, "another schema")
    one(change(level="optional"), arrays, 2, "another level")
    one(change(arrays=case["arrays"] + [first]), arrays, 2, "two arrays of one name")

    def cut(bytes_left):
        def damage(folder):
            with open(os.path.join(folder, file), "r+b") as f:
                f.truncate(bytes_left)
        return damage

    def patch(name, at, data):
        def damage(folder):
            with open(os.path.join(folder, name), "r+b") as f:
                f.seek(at)
                f.write(data)
        return damage

    size = 128 + len(raw)
    for left in (0, 5, 9, 60, 127, size - 1):
        one(case, arrays, 2, "an array of %d bytes instead of %d" % (left, size), cut(left))
    one(case, arrays, 2, "an array that is not there", lambda folder: os.remove(os.path.join(folder, file)))
    one(case, arrays, 2, "a header length beyond the file", patch(file, 8, b"\xff\xff"))
    one(case, arrays, 2, "a header length that is too small", patch(file, 8, b"\x10\x00"))
    one(case, arrays, 2, "another version", patch(file, 6, b"\x03"))
    nan = struct.pack("<d", float("nan"))
    one(case, arrays, 2, "a NaN among the expected values", patch(file, 128, nan))
    one(case, arrays, 2, "case.json that is no JSON", patch("case.json", 0, b"["))

    check(run("--dir", os.path.join(data, "nowhere"))[0] == 2, "a folder that does not exist")
    check(run("--dir", data, "--family", "a_family_of_tomorrow")[0] == 2, "--family with an unknown name")
    check(run("--no-such-option")[0] == 2, "an unknown option")
    check(run("--help")[0] == 0, "--help")
    with tempfile.TemporaryDirectory() as empty:
        check(run("--dir", empty)[0] == 2, "an empty folder")
        with open(os.path.join(data, case["family"] + ".safetensors"), "rb") as f:
            packed = f.read()
        path = os.path.join(empty, "x.safetensors")
        for what, content in (("cut in the header", packed[:100]), ("cut in the data", packed[:-8]),
                              ("cut in the length", packed[:7]), ("with a huge header", b"\xff" * 8 + packed[8:])):
            with open(path, "wb") as f:
                f.write(content)
            check(run("--dir", empty)[0] == 2, "a packed family " + what)
    code, counts, _ = run("--dir", data, "--family", case["family"])
    check(code == 0 and {family for family, _ in counts} == {case["family"]}, "--family narrows to one family")


if __name__ == "__main__":
    main()
    print("%d problems" % len(problems))
    sys.exit(1 if problems else 0)
