"""Measures the host beside its peers; started by scripts/benchmarks/host, with PGHOST etc. pointing to a server.

Each measurement is a program of its own that prints its figure (lua/*.lua for replhost, peers/ for the others) or whose
time or memory is taken from outside. Runs of the same measurement are interleaved: A B C A B C …
"""
import os
import sys

import proxy
from measure import Program, Report, interleave, parse_options, says, sql

HERE = os.path.dirname(os.path.abspath(__file__))


class Suite:
    def __init__(self, options):
        self.options = options
        self.report = Report()
        self.scale = 0.1 if options.quick else 1

    # Programs

    def lua(self, name, figure="printed", label="replhost", **environment):
        script = os.path.join(HERE, "lua", name + ".lua")
        return Program(label, [self.options.replhost, script], figure, self._strings(environment))

    def python(self, label, name, figure="printed", **environment):
        script = os.path.join(HERE, "peers", "peers.py")
        return Program(label, [sys.executable, script, name], figure, self._strings(environment))

    def luasql(self, figure="printed", **environment):
        script = os.path.join(HERE, "peers", "luasql_rows.lua")
        return Program("LuaSQL (Lua 5.4)", ["lua5.4", script], figure, self._strings(environment))

    @staticmethod
    def _strings(environment):
        return {name: str(value) for name, value in environment.items()}

    def interleave(self, programs, runs=None, before=None):
        return interleave(programs, runs or self.options.runs, before)

    # Measurements

    def pool(self):
        count = int(1_000_000 * self.scale)
        programs = self.interleave([
            self.lua("pool", BENCH_COUNT=count),
            self.python("psycopg2.pool", "pool_psycopg2", BENCH_COUNT=count // 5),
            self.python("psycopg_pool", "pool_psycopg", BENCH_COUNT=count // 5),
        ])
        self.report.add(
            "getconn + putconn, uncontended", "ns", programs, digits=0,
            demand=lambda own, _: ("<= 1000 ns", own <= 1000))

    def spike(self):
        """The count of connections is taken by the proxy, not believed."""
        connections = {}
        served = []
        for _ in range(self.options.runs):
            for program in (self.lua("spike"), self.python("psycopg_pool", "spike_psycopg")):
                with proxy.DelayingProxy(os.environ["PGHOST"], os.environ["PGPORT"], delay=0.150) as front:
                    program.environment.update(BENCH_HOST="127.0.0.1", BENCH_PORT=str(front.port))
                    program.run()
                    known = connections.setdefault(program.label, Program(program.label, None))
                    known.failure = program.failure
                    if not program.failure:
                        known.values.append(front.accepted)
                        served.append((program.label, program.values[-1]))
        self.report.add(
            "spike: 50 tasks at once, connecting takes 150 ms, query 2 ms, min 5, max 50", "conns",
            list(connections.values()), digits=0, demand=lambda own, _: ("<= 8 connections", own <= 8))
        short = [f"{label} served {count:.0f}" for label, count in served if count != 50]
        print("  " + ("; ".join(short) if short else "all 50 tasks served in every run"))

    def rows(self):
        count = int(500_000 * self.scale)
        sql(f"""
            drop table if exists bench_rows;
            create table bench_rows (id int8, name text, note text, active bool, score float8, seen timestamptz);
            insert into bench_rows select g, 'customer ' || g, md5(g::text), g % 3 = 0, g * 1.1,
              timestamptz '2024-01-01' + g * interval '1 second' from generate_series(1, {count}) g;
            vacuum analyze bench_rows;""")
        for columns, title, demanded in ((2, "two columns read", 3), (6, "all columns read", 2)):
            programs = self.interleave([
                self.lua("rows", BENCH_COLUMNS=columns),
                self.python("asyncpg", "rows_asyncpg", BENCH_COLUMNS=columns),
                self.python("psycopg 3 (binary)", "rows_psycopg", BENCH_COLUMNS=columns),
                self.luasql(BENCH_COLUMNS=columns),
            ])
            self.report.add(
                f"rows of a 6-column query, {count:,} rows, {title}", "k rows/s", programs, lower_is_better=False,
                digits=0, demand=lambda own, all, d=demanded: (
                    f">= {d} × asyncpg", own >= d * all.get("asyncpg", float("inf"))))

    def bulk(self):
        count = int(2_000_000 * self.scale)
        columns = """(id int8, customer int8, status text, email text, name text, amount numeric(12,2), score float8,
            active bool, created timestamptz, updated timestamptz, payload jsonb, note text)"""
        sql(f"""
            drop table if exists bench_source, bench_target;
            create table bench_source {columns};
            create table bench_target {columns};
            insert into bench_source select g, g % 100000, (array['new','paid','sent','done'])[1 + g % 4],
              'customer' || g || '@example.com', 'Customer Number ' || g, (g % 100000) / 100.0, g * 0.37, g % 2 = 0,
              timestamptz '2024-01-01' + g * interval '1 second', timestamptz '2025-01-01' + g * interval '1 second',
              jsonb_build_object('n', g, 'tags', array['a', 'b']), case when g % 5 = 0 then null else md5(g::text) end
              from generate_series(1, {count}) g;
            vacuum analyze bench_source;""")
        psql = ("psql -XqAt -d postgres -c 'copy bench_source to stdout'"
                " | psql -XqAt -d postgres -c 'copy bench_target from stdin'")
        programs = [self.lua("bulk", "seconds"), Program("psql | psql (text)", psql, "seconds")]
        self.interleave(programs, before=lambda: sql("truncate bench_target; checkpoint"))
        self.report.add(
            f"bulk copy, {count:,} rows × 12 columns, 2 changed in Lua", "s", programs,
            demand=lambda own, all: ("<= 1.15 × psql | psql", own <= 1.15 * all["psql | psql (text)"]))
        if programs[0].memory:
            most = max(programs[0].memory)
            print(f"  resident memory of replhost: at most {most:.0f} MB; demanded <= 64 MB: {says(most <= 64)}")

    def start(self):
        programs = self.interleave([
            Program("replhost", [self.options.replhost, "-e", ""], "seconds"),
            Program("lua5.4", ["lua5.4", "-e", ""], "seconds"),
            Program("python3", [sys.executable, "-c", ""], "seconds"),
        ], runs=max(20, self.options.runs))
        for program in programs:
            program.values = [value * 1000 for value in program.values]
        self.report.add("start: replhost -e ''", "ms", programs, demand=lambda own, _: ("<= 15 ms", own <= 15))

    def sleepers(self):
        programs = self.interleave([
            self.lua("sleepers", "megabytes"),
            self.python("asyncio", "sleepers_asyncio", "megabytes"),
        ])
        self.report.add(
            "10,000 sleeping tasks, peak resident memory", "MB", programs, digits=1,
            demand=lambda own, _: ("<= 100 MB", own <= 100))

    def memory(self):
        few, many = int(100_000 * self.scale), int(10_000_000 * self.scale)
        programs = self.interleave([
            self.lua("stream", "megabytes", label=f"replhost, {many:,} rows", BENCH_COUNT=many),
            self.lua("stream", "megabytes", label=f"replhost, {few:,} rows", BENCH_COUNT=few),
        ], runs=1 if self.options.quick else 3)
        other = programs[1].label
        self.report.add(
            "streaming, peak resident memory", "MB", programs, digits=1,
            demand=lambda own, all: ("equal within 10 %", abs(own / all[other] - 1) <= 0.1))


MEASUREMENTS = ["start", "pool", "spike", "rows", "bulk", "sleepers", "memory"]


def main():
    options = parse_options("host", MEASUREMENTS)
    # A connection string, not PG* variables alone: what a script would write.
    os.environ["BENCH_DSN"] = "host={PGHOST} port={PGPORT} user={PGUSER} dbname=postgres".format(**os.environ)
    suite = Suite(options)
    for name in options.names:
        getattr(suite, name)()
    if options.json:
        suite.report.write(options.json)


if __name__ == "__main__":
    main()
