"""The peers' side of scripts/benchmarks/host.py: `peers.py NAME` prints its figure last."""
import asyncio
import os
import sys
import threading
import time

DSN = os.environ["BENCH_DSN"]
QUERY = "select id, name, note, active, score, seen from bench_rows"


def nanoseconds_per_turn(turn):
    count = int(os.environ["BENCH_COUNT"])
    started = time.perf_counter_ns()
    for _ in range(count):
        turn()
    return (time.perf_counter_ns() - started) / count


def pool_psycopg2():
    from psycopg2.pool import ThreadedConnectionPool

    pool = ThreadedConnectionPool(1, 10, DSN)

    def turn():
        pool.putconn(pool.getconn())

    print(nanoseconds_per_turn(turn))


def pool_psycopg():
    from psycopg_pool import ConnectionPool

    with ConnectionPool(DSN, min_size=1, max_size=10) as pool:
        pool.wait()

        def turn():
            pool.putconn(pool.getconn())

        print(nanoseconds_per_turn(turn))


def spike_psycopg():
    from psycopg_pool import ConnectionPool

    dsn = "host={BENCH_HOST} port={BENCH_PORT} user={PGUSER} dbname=postgres".format(**os.environ)
    served = []
    with ConnectionPool(dsn, min_size=5, max_size=50) as pool:
        pool.wait()

        def task():
            with pool.connection() as connection:
                connection.execute("select pg_sleep(0.002)")
            served.append(1)

        threads = [threading.Thread(target=task) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(0.5)
    print(len(served))


def thousand_rows_per_second(count, started):
    return count / (time.perf_counter() - started) / 1000


def rows_asyncpg():
    import asyncpg

    async def main():
        connection = await asyncpg.connect(
            host=os.environ["PGHOST"], port=int(os.environ["PGPORT"]), user=os.environ["PGUSER"], database="postgres")
        started = time.perf_counter()
        count = consume(await connection.fetch(QUERY), "id", "name")
        print(thousand_rows_per_second(count, started))
        await connection.close()

    asyncio.run(main())


def rows_psycopg():
    import psycopg

    with psycopg.connect(DSN) as connection:
        started = time.perf_counter()
        with connection.cursor(binary=True) as cursor:
            cursor.execute(QUERY)
            count = consume(cursor, 0, 1)
        print(thousand_rows_per_second(count, started))


def consume(rows, first, second):
    """Reads two columns or all of each row; how many rows there were."""
    count = 0
    if os.environ["BENCH_COLUMNS"] == "2":
        for row in rows:
            _ = row[first]
            _ = row[second]
            count += 1
    else:
        for row in rows:
            _, _, _, _, _, _ = row
            count += 1
    return count


def sleepers_asyncio():
    async def main():
        await asyncio.gather(*(asyncio.sleep(1) for _ in range(10_000)))

    asyncio.run(main())
    print(10_000)


globals()[sys.argv[1]]()
