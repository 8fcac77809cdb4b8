"""Measures the prompt beside psql, and /metrics; started by scripts/benchmarks/console.

PGHOST etc. point to a server, SOURCE_HOST to another one.
"""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import tempfile
import termios
import time

from measure import Program, Report, interleave, parse_options, says, sql
from scrapes import measure_scrapes

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A program on a pseudo-terminal of 120 × 40."""

    def __init__(self, command, environment):
        self.text = b""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.environ.update(environment, TERM="xterm", PAGER="cat", NO_COLOR="1")
            os.execvp(command[0], command)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def wait(self, condition, timeout=60):
        """Reads until `condition` holds for what has come since the last wait, escapes left out; the seconds it took."""
        started = time.monotonic()
        self.text = b""
        while not condition(ESCAPES.sub(b"", self.text).decode(errors="replace").replace("\r", "")):
            left = timeout - (time.monotonic() - started)
            if left <= 0 or not select.select([self.descriptor], [], [], left)[0]:
                raise TimeoutError(self.text[-300:])
            try:
                self.text += os.read(self.descriptor, 1 << 16)
            except OSError as error:
                raise RuntimeError(f"the program has ended: {self.text.decode(errors='replace')}") from error
        return time.monotonic() - started

    def expect(self, ending):
        return self.wait(lambda text: text.endswith(ending))

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)


class Suite:
    def __init__(self, options):
        self.options = options
        self.report = Report()
        self.home = tempfile.mkdtemp()
        self.environment = {name: self.home for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}

    def keys(self):
        """Each key of statements, and Tab for names of tables and columns, until its effect has come."""
        count = 1000 if self.options.quick else 10_000
        sql("create database names")
        for start in range(0, count, 1000):
            sql("select format('create table customers_%s (id int, first_name text, note_%s text)', i, i) "
                f"from generate_series({start}, {start + 999}) i \\gexec", "names")
        times = {"key": [], "completion": []}
        terminal = Terminal([self.options.replhost, "repl", "dbname=names"], self.environment)
        try:
            terminal.expect("names=> ")
            self._await_catalog(terminal, count)
            for run in range(100 if self.options.quick else 400):
                number = run * 37 % count
                self._type_statement(terminal, number, times)
        finally:
            terminal.close()
        for kind, values in times.items():
            milliseconds = sorted(value * 1000 for value in values)
            p50, p99 = statistics.median(milliseconds), milliseconds[int(len(milliseconds) * 0.99)]
            worst = milliseconds[-1]
            print(f"\n{kind} to screen, {count:,} tables: p50 {p50:.2f} ms, p99 {p99:.2f} ms, worst {worst:.2f} ms, "
                  f"n={len(milliseconds)}\n  demanded: p99 <= 20 ms: {says(p99 <= 20)}")
            program = Program(f"replhost, {kind}", None)
            program.values = milliseconds
            self.report.results.append({"title": f"{kind} to screen", "unit": "ms", "values": milliseconds})

    @staticmethod
    def _await_catalog(terminal, count):
        """Tab completes as soon as the names have been read."""
        for _ in range(300):
            terminal.type(f"table customers_{count - 1}\b\t")
            time.sleep(0.1)
            terminal.type(" x")
            text = []
            terminal.wait(lambda shown, text=text: text.append(shown) or shown.rstrip().endswith(" x"))
            terminal.type("\x03")
            terminal.expect("names=> ")
            if f"customers_{count - 1}" in text[-1]:
                return
        raise TimeoutError("no completion")

    @staticmethod
    def _type_statement(terminal, number, times):
        for key in f"select first_name from customers_{number}":
            terminal.type(key)
            times["key"].append(terminal.wait(lambda shown, key=key: shown.endswith(key)))
        # A unique column, the table's only one of this name; then tables without end.
        terminal.type(" where note")
        terminal.expect("note")
        terminal.type("\t")
        times["completion"].append(terminal.expect(f"_{number}"))
        terminal.type("\x15select * from customers_")
        terminal.expect("customers_")
        terminal.type("\t")
        times["completion"].append(terminal.wait(lambda shown: " more" in shown))
        terminal.type("\x03")
        terminal.expect("names=> ")

    def start(self):
        programs = [Program("replhost repl", None), Program("psql", None)]
        commands = [[self.options.replhost, "repl", "dbname=postgres"], ["psql", "-X", "-d", "postgres"]]
        for _ in range(self.options.runs * 4):
            for program, command, prompt in zip(programs, commands, ("postgres=> ", "postgres=# ")):
                terminal = Terminal(command, self.environment)
                program.values.append(terminal.wait(lambda shown, prompt=prompt: shown.endswith(prompt)) * 1000)
                terminal.close()
        self.report.add(
            "prompt ready after start", "ms", programs, digits=1,
            demand=lambda own, all: ("<= psql", own <= all["psql"]))

    def csv(self):
        count = 100_000 if self.options.quick else 1_000_000
        sql(f"""drop table if exists console_rows;
            create table console_rows (id int8, name text, amount numeric(12,2), seen timestamptz, note text);
            insert into console_rows select g, 'customer ' || g, (g % 100000) / 100.0,
              timestamptz '2024-01-01' + g * interval '1 second', case when g % 5 > 0 then md5(g::text) end
              from generate_series(1, {count}) g;
            vacuum analyze console_rows;""")
        query, path = "select * from console_rows", os.path.join(self.home, "rows.csv")
        own = [self.options.replhost, "repl", "dbname=postgres", "--csv", "-e", f"{query};"]
        programs = [
            Program("replhost repl --csv", self._into(own, path), "seconds"),
            Program("psql --csv", self._into(["psql", "-X", "--csv", "-d", "postgres", "-c", query], path), "seconds"),
        ]
        interleave(programs, self.options.runs)
        self.report.add(
            f"{count:,} rows × 5 columns as CSV into a file", "s", programs,
            demand=lambda own, all: ("<= 1.2 × psql --csv", own <= 1.2 * all["psql --csv"]))
        for program in programs:
            if program.memory:
                print(f"  resident memory of {program.label}: at most {max(program.memory):.0f} MB")
        if programs[0].memory:
            print(f"  demanded: <= 64 MB: {says(max(programs[0].memory) <= 64)}")

    @staticmethod
    def _into(command, path):
        return ["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", path, *command]

    def metrics(self):
        measure_scrapes(self.options, self.report)

    def run(self):
        for name in self.options.names:
            getattr(self, name)()
        if self.options.json:
            self.report.write(self.options.json)
        shutil.rmtree(self.home, ignore_errors=True)


if __name__ == "__main__":
    subprocess.run(["psql", "--version"], check=True)
    Suite(parse_options("console", ("keys", "start", "csv", "metrics"))).run()
