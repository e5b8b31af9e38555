#!/usr/bin/env python3
"""
`python benchmarks/run.py` measures all clients in all cases and prints the tables.

In order: environments and nginx → what each client is → a count for each case → rounds → tables.
A full run also rewrites the figures in docs/benchmarks.md, its chart, and benchmarks/results/latest.json;
a quick or partial one leaves them alone and says where its own figures are.
It is a benchmark and not a test: whatever the figures are, it ends with 0.
"""

import argparse
import datetime
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks import cases, chart, environment, figures, measure, report, server  # noqa: E402


def main():
    options = parse()
    nginx, missing = environment.prepare(build=not options.no_build)
    if missing:
        print(f"requestx is not measured: {missing}", flush=True)
    if options.setup:
        return
    data = bench(options, nginx, missing)
    text = report.render(data)
    print("\n" + text)
    save(data, text, options)


def parse():
    parser = argparse.ArgumentParser(description="Measure HTTP clients against one nginx on loopback.")
    parser.add_argument("--setup", action="store_true", help="only make the environments and build requestx")
    parser.add_argument("--only", default="", metavar="NAMES", help="cases, clients or start-up, by comma")
    parser.add_argument("--rounds", type=int, help="rounds that are counted (default 5)")
    parser.add_argument("--seconds", type=float, help="about how long one run takes (default 0.5)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 0.2 s: to see that it works")
    parser.add_argument("--no-build", action="store_true", help="measure the requestx that is installed already")
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name]
    known = [*cases.CLIENTS, *(case.name for case in cases.CASES), "start-up"]
    wrong = [name for name in names if name not in known]
    if wrong:
        parser.error(f"unknown: {', '.join(wrong)}; known: {', '.join(known)}")
    options.clients = [name for name in cases.CLIENTS if name in names] or list(cases.CLIENTS)
    options.cases = [case for case in cases.CASES if case.name in names]
    options.start_up = "start-up" in names
    if not options.cases and not options.start_up:
        options.cases, options.start_up = list(cases.CASES), True
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (0.2 if options.quick else 0.5)
    options.partial = bool(names) or options.quick
    return options


def bench(options, nginx, missing):
    begin = time.monotonic()
    with server.Server(nginx, environment.python_of("")) as running:
        bench = measure.Bench(running, environment.python_of, options.seconds)
        clients = {name: known(bench, name, missing) for name in options.clients}
        for name, about in clients.items():
            progress(begin, f"{name}: {about.get('error') or about['version']}")
            bench.fix_counts(options.cases, name, about)
        for number in range(1, options.rounds + 1):
            bench.round(number, options.cases, lambda run: progress(begin, line(run)))
            if options.start_up:
                bench.start_up(number, clients, 1 if options.quick else 3)
    return {
        "date": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "machine": environment.describe(),
        "settings": {"rounds": options.rounds, "seconds": options.seconds, "partial": options.partial},
        "clients": clients,
        "cases": [case.name for case in options.cases],
        "weather": figures.weather(bench.runs),
        "ratios": figures.ratios(bench.runs),
        "summary": figures.summary(bench.runs),
        "starts": figures.starts(bench.starts),
        "runs": bench.runs,
        "start_runs": bench.starts,
    }


def known(bench, name, missing):
    return {"error": missing} if name == "requestx" and missing else bench.about(name)


def line(run):
    start = f"round {run['round']}  {run['case']:17} {run['client']:10} {run['place']:8}  "
    if "error" in run:
        return start + "failed: " + run["error"]
    return start + f"{figures.cpu(run):10,.1f} µs CPU {figures.wall(run):10,.1f} µs wall {run['requests']:7} requests"


def progress(begin, words):
    print(f"[{time.monotonic() - begin:5.0f} s] {words}", flush=True)


def save(data, text, options):
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    name = "partial" if options.partial else "latest"
    (results / f"{name}.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.partial:
        (results / "partial.md").write_text(text, encoding="utf-8")
        (results / "partial.svg").write_text(chart.draw(data), encoding="utf-8")
        print("saved in benchmarks/results/partial.{json,md,svg}; docs/benchmarks.md is left as it was")
    else:
        chart.FILE.write_text(chart.draw(data), encoding="utf-8")
        report.publish(text)
        print("saved in benchmarks/results/latest.json, docs/benchmarks.md and docs/benchmarks.svg")


if __name__ == "__main__":
    main()
