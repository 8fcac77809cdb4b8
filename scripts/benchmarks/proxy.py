"""A TCP proxy on 127.0.0.1 that takes its time: to connect, and with what passes through it."""
import asyncio
import threading


class DelayingProxy:
    """Accepts on `port` and connects to the Unix socket of a server `delay` seconds later; bytes arrive `latency` seconds
    after they were sent, in both directions. Use as a context."""

    def __init__(self, host, port, delay=0, latency=0):
        self._path = f"{host}/.s.PGSQL.{port}"
        self._delay = delay
        self._latency = latency
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks = set()
        self.accepted = 0
        self.port = None

    def __enter__(self):
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        server_writer = None
        try:
            await asyncio.sleep(self._delay)
            server_reader, server_writer = await asyncio.open_unix_connection(self._path)
            await asyncio.gather(self._pump(reader, server_writer), self._pump(server_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            if server_writer:
                server_writer.close()

    async def _pump(self, reader, writer):
        if not self._latency:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            return writer.close()
        # As much as a fast network has under way.
        under_way = asyncio.Queue(1024)
        delivery = asyncio.create_task(self._deliver(under_way, writer))
        try:
            while data := await reader.read(65536):
                await under_way.put((self._loop.time() + self._latency, data))
            await under_way.put((self._loop.time() + self._latency, None))
            await delivery
        finally:
            delivery.cancel()

    async def _deliver(self, under_way, writer):
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - self._loop.time())
            if data is None:
                return writer.close()
            writer.write(data)
            await writer.drain()
