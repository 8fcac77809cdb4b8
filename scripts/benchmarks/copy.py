"""Measures the first copy beside its peers; started by scripts/benchmarks/copy, with PGHOST etc. pointing to a server.

Two databases of that server are source and target. Runs of the same measurement are interleaved: A B C A B C …
"""
import os
import shutil
import statistics
import tempfile

from measure import Program, Report, interleave, parse_options, says, sql

HERE = os.path.dirname(os.path.abspath(__file__))

COLUMNS = """(id bigint NOT NULL, email text NOT NULL, code char(8), active boolean, ratio float8, amount numeric(12,2),
  at timestamptz NOT NULL, day date, tags text[], doc jsonb, qty bigint, note text)"""

ROWS = """SELECT i, 'user' || i || '@example.org', lpad((i % 99999)::text, 8, '0'), i % 3 = 0, i / 7.0,
  (i % 100000) / 100.0, timestamptz '2020-01-01' + i * interval '1 second', date '2020-01-01' + (i % 1000)::int,
  ARRAY['a', 'b' || i % 10], jsonb_build_object('n', i, 'c', 'x'), i % 1000,
  CASE WHEN i % 5 > 0 THEN 'a note of ordinary length, number ' || i END FROM generate_series(1::bigint, {count}) i"""


def conninfo(database):
    return f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user={os.environ['PGUSER']} dbname={database}"


def url(database):
    return f"pgsql://{os.environ['PGUSER']}@unix:{os.environ['PGHOST']}:{os.environ['PGPORT']}/{database}"


class Suite:
    def __init__(self, options):
        self.options = options
        self.report = Report()
        self.count = 200_000 if options.quick else 2_000_000
        self.directory = tempfile.mkdtemp(prefix="replhost-bench-")

    # Programs

    def replhost(self, label, transform=False, workers=1, figure="seconds"):
        script = os.path.join(HERE, "lua", "copy.lua")
        environment = {
            "BENCH_SOURCE": conninfo("bench_source"), "BENCH_TARGET": conninfo("bench_target"),
            "BENCH_TRANSFORM": "1" if transform else "", "BENCH_WORKERS": str(workers)}
        return Program(label, [self.options.replhost, "run", "--quiet", script], figure, environment)

    @staticmethod
    def psql(label="psql | psql (binary)"):
        return Program(
            label, "psql -XqAt -d bench_source -c 'COPY items TO STDOUT (FORMAT binary)'"
            " | psql -XqAt -d bench_target -c 'COPY items FROM STDIN (FORMAT binary)'", "seconds")

    def pgcopydb(self):
        work = os.path.join(self.directory, "pgcopydb")
        return Program(
            "pgcopydb clone (2 jobs)",
            f"rm -rf {work}; pgcopydb clone --source '{conninfo('bench_source')}' --target '{conninfo('bench_target')}'"
            f" --dir {work} --table-jobs 2 --index-jobs 2 --split-tables-larger-than 100MB --no-acl --no-owner"
            " --not-consistent", "seconds")

    def pgloader(self):
        commands = os.path.join(self.directory, "clone.load")
        with open(commands, "w", encoding="utf-8") as file:
            file.write(f"LOAD DATABASE FROM {url('bench_source')} INTO {url('bench_target')}\n"
                       "WITH include drop, create tables, create indexes, foreign keys, workers = 2, concurrency = 1,\n"
                       " prefetch rows = 1000, batch rows = 5000;\n")
        return Program("pgloader", ["pgloader", "--no-ssl-cert-verification", commands], "seconds")

    # Databases

    @staticmethod
    def make_databases():
        sql("DROP DATABASE IF EXISTS bench_source; DROP DATABASE IF EXISTS bench_target;")
        sql("CREATE DATABASE bench_source")

    @staticmethod
    def fill(count, constraints=False):
        sql(f"""DROP TABLE IF EXISTS lines, items; CREATE TABLE items {COLUMNS};
            INSERT INTO items {ROWS.format(count=count)};
            ALTER TABLE items ADD PRIMARY KEY (id);""", "bench_source")
        if constraints:
            sql(f"""CREATE UNIQUE INDEX ON items (email); CREATE INDEX ON items (day, qty);
                ALTER TABLE items ADD CHECK (qty >= 0);
                CREATE TABLE lines (item bigint REFERENCES items, line int, price numeric(10,2), PRIMARY KEY (item, line));
                INSERT INTO lines SELECT i, n, i / 9.0 FROM generate_series(1, {count // 4}) i, generate_series(1, 2) n""",
                "bench_source")
        sql("VACUUM ANALYZE", "bench_source")

    @staticmethod
    def new_target(with_table=False):
        sql("DROP DATABASE IF EXISTS bench_target WITH (FORCE)")
        sql("CREATE DATABASE bench_target")
        if with_table:
            sql(f"CREATE TABLE items {COLUMNS}", "bench_target")
        sql("CHECKPOINT")

    def interleave(self, programs, with_table, runs=None):
        return interleave(programs, runs or self.options.runs, lambda: self.new_target(with_table))

    # Measurements

    def table(self):
        """One table into one that exists, one worker, with and without a function."""
        self.fill(self.count)
        plain, changed = self.replhost("replhost"), self.replhost("replhost, 2 columns changed", transform=True)
        programs = self.interleave([plain, self.psql(), changed], with_table=True)
        peer = programs[1].label
        self.report.add(
            f"one table, {self.count:,} rows × 12 columns, one worker", "s", programs,
            demand=lambda own, all: (f"<= 1.10 × {peer}", own <= 1.10 * all.get(peer, 0)))
        if plain.values and changed.values:
            ratio = statistics.median(changed.values) / statistics.median(plain.values)
            print(f"  with a function / without: {ratio:.2f}; demanded <= 1.15: {says(ratio <= 1.15)}")
            for program, most in ((plain, 1.0), (changed, 1.6)):
                cost = statistics.median(program.cpu) / self.count * 1e6
                print(f"  {program.label}: {cost:.2f} µs of own CPU per row"
                      f" ({min(program.cpu) / self.count * 1e6:.2f} … {max(program.cpu) / self.count * 1e6:.2f});"
                      f" demanded <= {most}: {says(cost <= most)}")

    def clone(self):
        """Two tables from nothing, with keys, indexes, a check and a foreign key."""
        self.fill(self.count, constraints=True)
        programs = [self.replhost("replhost (2 workers)", workers=2), self.pgcopydb(), self.pgloader()]
        self.interleave(programs[:2], with_table=False)
        self.interleave(programs[2:], with_table=False, runs=min(self.options.runs, 3))
        self.report.add(
            f"clone, {self.count:,} and {self.count // 2:,} rows, 5 indexes, constraints", "s", programs,
            demand=lambda own, all: (
                "<= 0.8 × pgcopydb, <= 0.3 × pgloader",
                own <= 0.8 * all.get(programs[1].label, 0) and own <= 0.3 * all.get("pgloader", 0)))

    def workers(self):
        self.fill(self.count)
        programs = self.interleave(
            [self.replhost("replhost, 2 workers", workers=2), self.replhost("replhost, 1 worker")], with_table=True)
        self.report.add(
            f"one table, {self.count:,} rows, 1 and 2 workers", "s", programs,
            demand=lambda own, all: ("<= 0.7 × one worker", own <= 0.7 * all.get(programs[1].label, 0)))

    def memory(self):
        programs = []
        for count in (self.count // 10, self.count, self.count * 10):
            self.fill(count)
            program = self.replhost(f"replhost, {count:,} rows", transform=True, workers=2, figure="megabytes")
            programs += self.interleave([program], with_table=True, runs=1)
        self.report.add(
            "peak resident memory, 2 workers, 2 columns changed", "MB", programs, digits=1,
            demand=lambda own, all: ("<= 64 MB, flat", max(all.values()) <= min(64, 1.25 * own)))


MEASUREMENTS = ["table", "clone", "workers", "memory"]


def main():
    options = parse_options("copy", MEASUREMENTS)
    suite = Suite(options)
    try:
        suite.make_databases()
        for name in options.names:
            getattr(suite, name)()
    finally:
        shutil.rmtree(suite.directory, ignore_errors=True)
    if options.json:
        suite.report.write(options.json)


if __name__ == "__main__":
    main()
