"""What it costs a stream that somebody asks for its metrics; part of scripts/benchmarks/console."""
import http.client
import socket
import statistics
import threading

from measure import Program, says
from stream import ITEMS_DIGEST, Suite, insert_items, make_items

OFTEN = 20


class ScrapedProgram(Program):
    """A program whose /metrics are asked for, `rate` times a second, as long as it runs."""

    def __init__(self, program, label, rate):
        port = free_port()
        command = [*program.command[:2], "--listen", f"127.0.0.1:{port}", *program.command[2:]]
        super().__init__(label, command, program.figure, program.environment)
        self.slot, self.port, self.rate = program.slot, port, rate
        self.scrapes, self.sizes = [], []

    def run(self, before=None):
        self.scrapes.append(0)
        ended = threading.Event()
        scraper = threading.Thread(target=self._scrape, args=(ended,))
        scraper.start()
        super().run(before)
        ended.set()
        scraper.join()

    def _scrape(self, ended):
        """On one connection, as Prometheus does."""
        connection = None
        while not ended.wait(1 / self.rate):
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/metrics")
                text = connection.getresponse().read()
                assert b"replhost_stream_changes_total" in text
                self.sizes.append(len(text))
                self.scrapes[-1] += 1
            except OSError:
                connection = None  # It does not listen yet, or not any more.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def measure_scrapes(options, report):
    suite = Suite(options)
    suite.report = report
    count = 3_000_000 // suite.scale
    suite.prepare(make_items, lambda: insert_items(count, 200))
    suite.digest = ITEMS_DIGEST
    plain = suite.replhost("not asked")
    once = ScrapedProgram(plain, "asked once a second", 1)
    often = ScrapedProgram(plain, f"asked {OFTEN} times a second", OFTEN)
    suite.interleave([plain, once, often])
    report.add(f"catching up {count:,} inserts while /metrics is asked for", "s", [plain, once, often])
    print_cost(plain, once, often)
    Suite.drop_databases()


def print_cost(plain, once, often):
    if not (plain.values and once.values and often.values):
        return
    lost = 1 - statistics.median(plain.values) / statistics.median(once.values)
    print(f"  throughput that {statistics.median(once.scrapes):g} scrapes in a run took: {lost:.1%}; "
          f"demanded < 1 %: {says(lost < 0.01)}")
    scrapes = statistics.median(often.scrapes)
    extra = (statistics.median(often.cpu) - statistics.median(plain.cpu)) / scrapes
    print(f"  own CPU of a scrape, by {scrapes:g} of them in a run: {extra * 1000:.2f} ms, "
          f"{extra:.2%} of a core at one a second; a scrape is {statistics.median(often.sizes) / 1024:.1f} kB")
