#!/usr/bin/env python3
"""Turns a Google Benchmark JSON file into a table of medians and ratios.

Benchmarks named CASE/IMPLEMENTATION[/ARGUMENTS] are compared case by case: the ratio is limbic's (or the first
implementation's) time over each peer's, measured side by side in one run. Run the program with repetitions, so that
the medians mean something:

    build/release/bin/bench_gemm --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true \\
        --benchmark_out=gemm.json --benchmark_out_format=json
    python3 tools/benchmark_table.py gemm.json
"""
import argparse
import json
import statistics
import sys
from collections import defaultdict


def medians(path):
    """{(case, arguments): {implementation: (median, fastest, unit, rate)}}, in the order of the file."""
    with open(path, encoding="utf-8") as f:
        report = json.load(f)
    times = defaultdict(list)
    rates = defaultdict(list)
    for run in report["benchmarks"]:
        if run.get("run_type", "iteration") != "iteration":
            continue
        case, implementation, *arguments = run["run_name"].split("/")
        key = (case, "x".join(arguments)), implementation
        times[key].append(run["cpu_time"])
        times[key, "unit"] = run["time_unit"]
        if "flops" in run:
            rates[key].append(run["flops"] / 1e9)
    table = defaultdict(dict)
    for key, values in times.items():
        if key[1] == "unit":
            continue
        rate = f"{statistics.median(rates[key]):.1f} GFLOP/s" if rates[key] else ""
        table[key[0]][key[1]] = (statistics.median(values), min(values), times[key, "unit"], rate)
    return report["context"], table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="RESULT.json")
    for path in parser.parse_args().files:
        try:
            context, table = medians(path)
        except (OSError, ValueError, KeyError) as e:
            sys.exit(f"benchmark_table: {path}: {e}")
        print(f"{context['date'][:10]}, {context['num_cpus']} cores at {context['mhz_per_cpu']} MHz"
              + "".join(f", {k} {context[k]}" for k in ("cpu", "compiler", "eigen", "libtorch") if k in context) + "\n")
        print("| case | implementation | median | fastest | rate | ratio of the first to this |\n|---|---|---|---|---|---|")
        for (case, arguments), row in table.items():
            first = next((row[k] for k in ("limbic", "simd") if k in row), next(iter(row.values())))
            for implementation, (median, fastest, unit, rate) in row.items():
                ratio = "" if row[implementation] is first else f"{first[0] / median:.2f}"
                print(f"| {case} {arguments} | {implementation} | {median:.4g} {unit} | {fastest:.4g} {unit} | {rate} | {ratio} |")
        print()


if __name__ == "__main__":
    main()
