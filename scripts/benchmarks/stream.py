"""Measures how changes are followed, beside PostgreSQL's own subscription; started by scripts/benchmarks/stream.

SOURCE_HOST and PGHOST point to two servers. The changes of a measurement are made once, while nobody reads them. Each
run begins with the target and the slot as they were before, and runs are interleaved: A B C A B C …
"""
import os
import signal
import statistics
import subprocess
import time

from proxy import DelayingProxy

from measure import Program, Report, parse_options, says, sql

HERE = os.path.dirname(os.path.abspath(__file__))
SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE database = 'bench_source'"
BASE_SLOT = "bench_base"


def conninfo(host, database, port=os.environ["PGPORT"]):
    return f"host={host} port={port} user={os.environ['PGUSER']} dbname={database}"


SOURCE = conninfo(os.environ["SOURCE_HOST"], "bench_source")
SOURCE_SERVER = conninfo(os.environ["SOURCE_HOST"], "postgres")
TARGET = conninfo(os.environ["PGHOST"], "bench_target")
TARGET_SERVER = conninfo(os.environ["PGHOST"], "postgres")


def ask(text, database):
    answer = subprocess.run(["psql", "-XqAt", "-d", database, "-c", text], text=True, check=True, capture_output=True)
    return answer.stdout.strip()


class Session:
    """A psql that is asked one question after the other."""

    def __init__(self, database):
        self.process = subprocess.Popen(
            ["psql", "-XqAt", "-d", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, text):
        self.process.stdin.write(text + ";\n")
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Series:
    """Figures under a label, as a Program has them."""

    def __init__(self, label):
        self.label = label
        self.values, self.memory, self.cpu, self.failure = [], [], [], None

    def quantile(self, rank):
        """Of values that are lists of seconds, in ms."""
        series = Series(self.label)
        series.memory = self.memory
        series.values = [statistics.quantiles(run, n=100)[rank - 1] * 1000 for run in self.values]
        return series


class Suite:
    def __init__(self, options):
        self.options = options
        self.report = Report()
        self.scale = 10 if options.quick else 1
        self.end = None
        self.slot = None
        self.digest = None

    # Programs

    def replhost_command(self, *flags):
        return [self.options.replhost, "run", *flags, "--quiet", os.path.join(HERE, "lua", "changes.lua")]

    def replhost(self, label, transform=False, connections=4):
        """From the start of the process to its end."""
        environment = {
            "BENCH_SOURCE": SOURCE, "BENCH_TARGET": TARGET, "BENCH_TRANSFORM": "1" if transform else "",
            "BENCH_CONNECTIONS": str(connections)}
        program = Program(label, self.replhost_command("--once"), "seconds", environment)
        program.slot = self.slot
        return program

    @staticmethod
    def native(label="native subscription", source=SOURCE):
        """From its start until the last row is there."""
        program = Program(
            label, f"psql -Xq -v ON_ERROR_STOP=1 -d '{TARGET}' -c 'ALTER SUBSCRIPTION bench ENABLE'"
            " -c 'CALL await_last()'", "seconds")
        program.slot = "bench_native"
        program.source = source
        return program

    def recvlogical(self, label="pg_recvlogical > /dev/null"):
        program = Program(
            label, f"pg_recvlogical -d '{SOURCE}' --slot bench_null --start --endpos {self.end} --no-loop -f /dev/null"
            " -o proto_version=1 -o binary=true -o publication_names=bench", "seconds")
        program.slot = "bench_null"
        return program

    # Databases

    @staticmethod
    def drop_databases():
        drop_subscription()
        sql("DROP DATABASE IF EXISTS bench_target WITH (FORCE); DROP DATABASE IF EXISTS bench_base WITH (FORCE)",
            TARGET_SERVER)
        sql(f"SELECT pg_drop_replication_slot(slot_name) FROM ({SLOTS}) s", SOURCE_SERVER)
        sql("DROP DATABASE IF EXISTS bench_source WITH (FORCE)", SOURCE_SERVER)

    def prepare(self, make, load):
        """Makes the source and a copy of it, then the changes to be followed."""
        self.drop_databases()
        sql("CREATE DATABASE bench_source", SOURCE_SERVER)
        sql("CREATE DATABASE bench_target", TARGET_SERVER)
        make()
        sql("CREATE TABLE last (id bigint PRIMARY KEY)", SOURCE)
        sql("VACUUM ANALYZE", SOURCE)
        copy = self.replhost("first copy")
        copy.run()
        if copy.failure:
            raise SystemExit(f"the first copy failed: {copy.failure}")
        self.slot = ask(SLOTS, SOURCE)
        sql(f"SELECT pg_copy_logical_replication_slot('{self.slot}', '{BASE_SLOT}')", SOURCE)
        sql("CREATE PUBLICATION bench FOR ALL TABLES", SOURCE)
        sql("""VACUUM ANALYZE;
            CREATE PROCEDURE await_last() LANGUAGE plpgsql AS $$ BEGIN
              WHILE NOT EXISTS (SELECT FROM last) LOOP COMMIT; PERFORM pg_sleep(0.005); END LOOP; END $$""", TARGET)
        sql("ALTER DATABASE bench_target RENAME TO bench_base", TARGET_SERVER)
        load()
        sql("INSERT INTO last VALUES (1)", SOURCE)
        self.end = ask("SELECT pg_current_wal_lsn()", SOURCE)

    @staticmethod
    def begin_anew(program):
        """Target and slot as they were before the changes."""
        drop_subscription()
        sql("DROP DATABASE IF EXISTS bench_target WITH (FORCE)", TARGET_SERVER)
        sql("CREATE DATABASE bench_target TEMPLATE bench_base", TARGET_SERVER)
        sql(f"SELECT pg_drop_replication_slot(slot_name) FROM ({SLOTS}) s WHERE slot_name <> '{BASE_SLOT}'", SOURCE)
        sql(f"SELECT pg_copy_logical_replication_slot('{BASE_SLOT}', '{program.slot}')", SOURCE)
        if program.slot == "bench_native":
            sql(f"""CREATE SUBSCRIPTION bench CONNECTION '{program.source}' PUBLICATION bench WITH
                (create_slot = false, slot_name = bench_native, copy_data = false, enabled = false, binary = true)""",
                TARGET)
        sql("CHECKPOINT", SOURCE)
        sql("CHECKPOINT", TARGET)

    def interleave(self, programs, runs=None):
        for _ in range(runs or self.options.runs):
            for program in programs:
                program.run(lambda chosen=program: self.begin_anew(chosen))
                if program.slot != "bench_null" and ask(self.digest, TARGET) != ask(self.digest, SOURCE):
                    program.failure = program.failure or "the target is not what the source is"
                    program.values.clear()
        return programs

    # Measurements

    def catch_up(self):
        """pgbench's TPC-B: three updates and an insert in each transaction."""
        count = 100_000 // self.scale
        self.prepare(
            lambda: pgbench("-i", "-q", "-s", "10"),
            lambda: pgbench("-n", "-c", "4", "-j", "2", "-t", str(count // 4)))
        self.digest = """SELECT (SELECT sum(abalance) FROM pgbench_accounts),
            (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(bbalance) FROM pgbench_branches),
            count(*), sum(delta), (SELECT sum(id) FROM last) FROM pgbench_history"""
        plain, changed = self.replhost("replhost"), self.replhost("replhost, 1 column changed", transform=True)
        native, limit = self.native(), self.recvlogical()
        self.interleave([plain, native, changed, limit])
        self.report.add(
            f"catching up {count:,} transactions, {4 * count:,} changes", "s", [plain, native, limit, changed],
            demand=lambda own, all: (
                "<= 0.5 × native, <= 1.6 × pg_recvlogical",
                own <= 0.5 * all.get(native.label, 0) and own <= 1.6 * all.get(limit.label, 0)))
        for program, peer, most in ((plain, native, 0.5), (plain, limit, 1.6), (changed, plain, 1.15)):
            print_ratio(program, peer, most)
        print_own(4 * count, plain, changed)

    def latency(self):
        """One insert after the other; time from its commit until the target shows it."""
        self.prepare(lambda: sql("CREATE TABLE items (id bigint PRIMARY KEY, note text)", SOURCE), lambda: None)
        own, native = Series("replhost"), Series("native subscription")
        own.slot, native.slot, native.source = self.slot, "bench_native", SOURCE
        for _ in range(self.options.runs):
            for series in (own, native):
                self.begin_anew(series)
                self.follow(series)
        self.report.add(
            "commit to visible in the target, p50", "ms", [own.quantile(50), native.quantile(50)], digits=3,
            demand=lambda own, all: ("<= 3 × native", own <= 3 * all.get(native.label, 0)))
        self.report.add(
            "commit to visible in the target, p99", "ms", [own.quantile(99), native.quantile(99)], digits=3,
            demand=lambda own, all: ("<= 10 ms", own <= 10))
        print(f"  replhost: peak memory {max(own.memory):.0f} MB")

    def follow(self, series):
        process = None
        if series.slot == "bench_native":
            sql("ALTER SUBSCRIPTION bench ENABLE", TARGET)
        else:
            process = subprocess.Popen(
                self.replhost_command(), env={**os.environ, "BENCH_SOURCE": SOURCE, "BENCH_TARGET": TARGET})
        while ask("SELECT count(*) FROM last", TARGET) == "0":
            if process and process.poll() is not None:
                raise SystemExit("replhost has ended, and should go on")
            time.sleep(0.05)
        sql("""CREATE FUNCTION await(wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
            WHILE NOT EXISTS (SELECT FROM items WHERE id = wanted) LOOP NULL; END LOOP;
            RETURN wanted; END $$""", TARGET)
        series.values.append(self.inserts(300 // self.scale))
        if process:
            process.send_signal(signal.SIGTERM)
            _, _, usage = os.wait4(process.pid, 0)
            series.memory.append(usage.ru_maxrss / 1024)

    @staticmethod
    def inserts(count):
        source, target, times = Session(SOURCE), Session(TARGET), []
        first = int(source.ask("SELECT coalesce(max(id), 0) FROM items")) + 1
        for number in range(first, first + count):
            source.ask(f"INSERT INTO items VALUES ({number}, 'a note') RETURNING id")
            committed = time.monotonic()
            target.ask(f"SELECT await({number})")
            times.append(time.monotonic() - committed)
            time.sleep(0.01)
        source.close()
        target.close()
        return times

    def inserts_only(self):
        count = 1_000_000 // self.scale
        self.prepare(make_items, lambda: insert_items(count, 200))
        self.digest = ITEMS_DIGEST
        own, native = self.replhost("replhost"), self.native()
        self.interleave([own, native])
        self.report.add(f"{count:,} inserts, 200 in each transaction", "s", [own, native])
        print_own(count, own, most=4)

    def indexes(self):
        """The target has more to do than the source: its connections share it."""
        count = 500_000 // self.scale
        self.prepare(make_indexed_items, lambda: insert_items(count, 200))
        self.digest = ITEMS_DIGEST
        own, alone = self.replhost("replhost"), self.replhost("replhost, 1 connection", connections=1)
        native = self.native()
        self.interleave([own, native, alone])
        self.report.add(f"{count:,} inserts into a table with 6 indexes", "s", [own, native, alone])
        print_own(count, own)

    def far(self):
        """The target is on the other side of a slow network, 10 ms away, which a subscription there has to cross, too."""
        count = 500_000 // self.scale
        self.prepare(make_items, lambda: insert_items(count, 200))
        self.digest = ITEMS_DIGEST
        with DelayingProxy(os.environ["PGHOST"], os.environ["PGPORT"], latency=0.01) as target, DelayingProxy(
            os.environ["SOURCE_HOST"], os.environ["PGPORT"], latency=0.01
        ) as source:
            own, alone = self.replhost("replhost"), self.replhost("replhost, 1 connection", connections=1)
            for program in (own, alone):
                program.environment["BENCH_TARGET"] = conninfo("127.0.0.1", "bench_target", target.port)
            native = self.native(source=conninfo("127.0.0.1", "bench_source", source.port))
            self.interleave([own, native, alone])
        self.report.add(f"{count:,} inserts, the target 10 ms away", "s", [own, native, alone])
        print_own(count, own)

    def large(self):
        count = 5_000_000 // self.scale
        self.prepare(make_items, lambda: insert_items(count, count))
        self.digest = ITEMS_DIGEST
        own = self.replhost("replhost")
        self.interleave([own], runs=1)
        self.report.add(f"one transaction of {count:,} inserts", "s", [own])
        print_own(count, own, megabytes=256)


def drop_subscription():
    if ask("SELECT count(*) FROM pg_subscription WHERE subname = 'bench'", TARGET_SERVER) == "0":
        return
    sql("""ALTER SUBSCRIPTION bench DISABLE; ALTER SUBSCRIPTION bench SET (slot_name = NONE);
        DROP SUBSCRIPTION bench""", TARGET)
    while ask(f"SELECT count(*) FROM ({SLOTS} AND active) s", SOURCE_SERVER) != "0":
        time.sleep(0.05)


def pgbench(*arguments):
    subprocess.run(["pgbench", *arguments, SOURCE], check=True, capture_output=True)


ITEMS_DIGEST = "SELECT count(*), sum(id), sum(amount), (SELECT sum(id) FROM last) FROM items"


def make_items():
    sql("CREATE TABLE items (id bigint PRIMARY KEY, name text, amount numeric(12,2), at timestamptz, note text)",
        SOURCE)


def make_indexed_items():
    make_items()
    for column in ("name", "amount", "at", "note, id", "(md5(name))"):
        sql(f"CREATE INDEX ON items ({column})", SOURCE)


def insert_items(count, each):
    sql(f"""DO $$ BEGIN FOR low IN 1..{count} BY {each} LOOP
          INSERT INTO items SELECT i, 'name ' || i, i / 100.0, timestamptz '2020-01-01' + i * interval '1 second',
            'a note of ordinary length' FROM generate_series(low, low + {each} - 1) i;
          COMMIT; END LOOP; END $$""", SOURCE)


def print_ratio(program, peer, most):
    if program.values and peer.values:
        ratio = statistics.median(program.values) / statistics.median(peer.values)
        print(f"  {program.label} / {peer.label}: {ratio:.2f}; demanded <= {most}: {says(ratio <= most)}")


def print_own(count, *programs, most=None, megabytes=128):
    for program in programs:
        if not program.values:
            continue
        costs = [cpu / count * 1e6 for cpu in program.cpu]
        text = f"  {program.label}: {statistics.median(costs):.2f} µs of own CPU per change"
        text += f" ({min(costs):.2f} … {max(costs):.2f})"
        if most:
            text += f"; demanded <= {most}: {says(statistics.median(costs) <= most)}"
        peak = max(program.memory)
        print(text + f"; peak memory {peak:.0f} MB; demanded <= {megabytes}: {says(peak <= megabytes)}")


MEASUREMENTS = ["catch_up", "latency", "inserts_only", "indexes", "far"]


def main():
    options = parse_options("stream", MEASUREMENTS, more=["large"])
    suite = Suite(options)
    for name in options.names:
        getattr(suite, name)()
    if options.json:
        suite.report.write(options.json)


if __name__ == "__main__":
    main()
