"""What the benchmarks share: programs whose figures are taken again and again, and the report of them."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import threading
import time


class Program:
    """A command whose figure is taken `runs` times."""

    def __init__(self, label, command, figure="printed", environment=None):
        self.label = label
        self.command = command
        self.figure = figure
        self.environment = environment or {}
        self.values = []
        self.memory = []
        self.cpu = []
        self.failure = None

    def run(self, before=None):
        if self.failure:
            return
        if before:
            before()
        started = time.monotonic()
        process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **self.environment}, shell=isinstance(self.command, str))
        printed = []
        readers = [
            threading.Thread(target=lambda: printed.append(process.stdout.read())),
            threading.Thread(target=lambda: setattr(self, "errors", process.stderr.read())),
        ]
        for reader in readers:
            reader.start()
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.monotonic() - started
        for reader in readers:
            reader.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            lines = self.errors.strip().splitlines() or ["no message"]
            self.failure = f"exit {process.returncode}: {lines[0][:100]}"
            return
        try:
            figures = {"printed": lambda: float(printed[0].split()[-1]), "seconds": lambda: elapsed,
                       "megabytes": lambda: usage.ru_maxrss / 1024}
            self.values.append(figures[self.figure]())
        except (IndexError, ValueError):
            self.failure = f"printed no number: {printed[0][:60]!r}"
        self.memory.append(usage.ru_maxrss / 1024)
        self.cpu.append(usage.ru_utime + usage.ru_stime)


class Report:
    def __init__(self):
        self.results = []

    def add(self, title, unit, programs, lower_is_better=True, demand=None, digits=2):
        """`demand(own, peers)` → (text, holds) where own is replhost's median and peers maps label → median."""
        print(f"\n{title}")
        medians = {p.label: statistics.median(p.values) for p in programs if p.values}
        own = medians.get(programs[0].label)
        for program in programs:
            print("  " + self._row(program, unit, own, lower_is_better, digits))
        if demand and own is not None:
            text, holds = demand(own, medians)
            print(f"  demanded: {text}: {says(holds)}")
        self.results.append({
            "title": title, "unit": unit,
            "programs": {p.label: {"values": p.values, "memory_mb": p.memory, "cpu_s": p.cpu, "failure": p.failure}
                         for p in programs}})

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.results, file, indent=1)

    @staticmethod
    def _row(program, unit, own, lower_is_better, digits):
        if not program.values:
            return f"{program.label:<28} n/a ({program.failure or 'not run'})"
        median = statistics.median(program.values)
        text = f"{program.label:<28}{median:>12.{digits}f} {unit:<9}"
        text += f" ({min(program.values):.{digits}f} … {max(program.values):.{digits}f}, n={len(program.values)})"
        if own and median and median != own:
            ratio = median / own if lower_is_better else own / median
            text += f"  replhost is {ratio:.2f} × as good"
        return text


def parse_options(benchmark, measurements, more=()):
    """What the command line of a benchmark says; `names` are the measurements that it wants, `more` only if asked for."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench {benchmark}")
    parser.add_argument("--replhost", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--runs", type=int, default=5, help="runs of each program (default 5)")
    parser.add_argument("--only", default=",".join(measurements), help="some of: " + ", ".join([*measurements, *more]))
    parser.add_argument("--json", help="write all values to this file")
    options = parser.parse_args()
    options.names = options.only.split(",")
    for name in options.names:
        if name not in [*measurements, *more]:
            parser.error(f"unknown measurement {name!r}; known: {', '.join([*measurements, *more])}")
    options.replhost = shutil.which(options.replhost) or options.replhost
    return options


def interleave(programs, runs, before=None):
    """A B C A B C …, `before` before each."""
    for _ in range(runs):
        for program in programs:
            program.run(before)
    return programs


def says(holds):
    return "yes" if holds else "NO"


def sql(text, database="postgres"):
    subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database], input=text, text=True, check=True,
        stdout=subprocess.DEVNULL, env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"})
