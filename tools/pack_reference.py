#!/usr/bin/env python3
"""Pack a folder of reference cases into one safetensors file a family, or unpack such files again.

    pack_reference.py SRC_DIR OUT_DIR            SRC_DIR/<family>/<case>/* -> OUT_DIR/<family>.safetensors
    pack_reference.py --unpack SRC_DIR OUT_DIR   the way back

The packed form holds everything the folder form holds. A tensor is named `<case>/<array>`; the complete `case.json`
of each case lies, minified, in `__metadata__` under `case:<case>`; `format`, `family`, `libraries` and `provenance`
are there too. The same input gives the same bytes. Standard library only.
"""
import argparse
import json
import math
import os
import struct
import sys

FORMAT = "limbic-reference-packed/1"
DTYPES = {"float64": ("F64", "<f8"), "int64": ("I64", "<i8")}


class Malformed(Exception):
    pass


def numpy_header(descr, shape):
    """The preamble of a NumPy 1.0 file, padded so that the data start at a multiple of 64."""
    dims = "(%s,)" % shape[0] if len(shape) == 1 else "(%s)" % ", ".join(map(str, shape))
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, dims)
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("ascii")


def read_npy(path, dtype, shape):
    """The raw values of a .npy file, which must be of the dtype and shape that its case.json names."""
    with open(path, "rb") as f:
        data = f.read()
    if len(data) < 10 or data[:8] != b"\x93NUMPY\x01\x00":
        raise Malformed("%s: not a NumPy 1.0 file" % path)
    start = 10 + struct.unpack("<H", data[8:10])[0]
    header = data[10:start].decode("latin-1").replace(" ", "").rstrip("\n")
    expected = numpy_header(DTYPES[dtype][1], shape)[10:].decode("ascii").replace(" ", "").rstrip("\n")
    if header != expected:
        raise Malformed("%s: the header is %s, case.json asks for %s" % (path, header, expected))
    if len(data) - start != 8 * math.prod(shape):
        raise Malformed("%s: %d bytes of data, shape %s needs %d"
                        % (path, len(data) - start, shape, 8 * math.prod(shape)))
    return data[start:]


def find_cases(root):
    """family -> list of (name, case.json as a dict, folder), sorted."""
    families = {}
    for folder, folders, files in os.walk(root):
        folders.sort()
        if "case.json" not in files:
            continue
        with open(os.path.join(folder, "case.json"), encoding="utf-8") as f:
            case = json.load(f)
        families.setdefault(case["family"], []).append((case["name"], case, folder))
    return {family: sorted(cases, key=lambda c: c[0]) for family, cases in sorted(families.items())}


def provenance_text(root):
    """What the set's README says about where its numbers come from: the text between title and first heading."""
    path = os.path.join(root, "README.md")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return text.partition("\n")[2].partition("\n## ")[0].strip()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def pack(source, target):
    families = find_cases(source)
    if not families:
        raise Malformed("%s: no case.json below it" % source)
    provenance = provenance_text(source)
    os.makedirs(target, exist_ok=True)
    total = 0
    for family, cases in families.items():
        libraries = sorted({case["provenance"]["library"] for _, case, _ in cases})
        metadata = {"format": FORMAT, "family": family, "libraries": "; ".join(libraries), "provenance": provenance}
        header, body, offset = {"__metadata__": metadata}, [], 0
        for name, case, folder in cases:
            if "case:" + name in metadata:
                raise Malformed("%s: two cases named %s" % (family, name))
            metadata["case:" + name] = compact(case)
            for array in case["arrays"]:
                data = read_npy(os.path.join(folder, array["file"]), array["dtype"], array["shape"])
                header[name + "/" + array["name"]] = {"dtype": DTYPES[array["dtype"]][0], "shape": array["shape"],
                                                      "data_offsets": [offset, offset + len(data)]}
                offset += len(data)
                body.append(data)
        text = compact(header).encode("ascii")
        text += b" " * (-len(text) % 8)  # the tensors start at a multiple of their element size
        path = os.path.join(target, family + ".safetensors")
        with open(path + ".part", "wb") as f:
            f.write(struct.pack("<Q", len(text)) + text)
            f.writelines(body)
        os.replace(path + ".part", path)
        total += os.path.getsize(path)
        print("%-18s %4d cases %9d bytes" % (family, len(cases), os.path.getsize(path)))
    print("%d families, %d cases, %.2f MB" % (len(families), sum(map(len, families.values())), total / 1e6))


def read_packed(path):
    """A packed family: (its metadata, {case name: (case.json as a dict, {array name: raw bytes})})."""
    with open(path, "rb") as f:
        data = f.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__")
    if metadata.get("format") != FORMAT:
        raise Malformed("%s: not a packed family of reference cases" % path)
    cases = {}
    for key, text in metadata.items():
        if key.startswith("case:"):
            case, name = json.loads(text), key[len("case:"):]
            arrays = {}
            for array in case["arrays"]:
                begin, end = header[name + "/" + array["name"]]["data_offsets"]
                arrays[array["name"]] = data[start + begin:start + end]
            cases[name] = (case, arrays)
    return metadata, cases


def write_case(folder, case, arrays):
    """One case in the folder format."""
    os.makedirs(folder)
    for array in case["arrays"]:
        with open(os.path.join(folder, array["file"]), "wb") as f:
            f.write(numpy_header(DTYPES[array["dtype"]][1], array["shape"]) + arrays[array["name"]])
    with open(os.path.join(folder, "case.json"), "w", encoding="ascii") as f:
        json.dump(case, f, indent=1)


def unpack(source, target):
    for file in sorted(os.listdir(source)):
        if file.endswith(".safetensors"):
            metadata, cases = read_packed(os.path.join(source, file))
            for name, (case, arrays) in cases.items():
                write_case(os.path.join(target, metadata["family"], name), case, arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--unpack", action="store_true", help="the way back")
    parser.add_argument("source", metavar="SRC_DIR")
    parser.add_argument("target", metavar="OUT_DIR")
    options = parser.parse_args()
    try:
        (unpack if options.unpack else pack)(options.source, options.target)
    except (Malformed, OSError, KeyError, ValueError) as error:
        print("pack_reference: %s" % (error if str(error) else repr(error)), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
