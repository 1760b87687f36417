"""A small Prometheus on loopback that says that all is well, counts its requests, and can be held up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from monitor.feeds.queries import PulledFeed
from monitor.feeds.settings import FeedSettings

WELL = {"lowest": "1", "newest": "1", "samples": "10", "age": "5"}


class FakePrometheus(ThreadingHTTPServer):
    """`most_at_once` is how many requests it had to answer together; while `held` it answers none."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.changed = threading.Condition()
        self.requests = self.at_once = self.most_at_once = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def wait(self, reached: Callable[[], bool]) -> None:
        """Until something is so, which a request makes so. Raises AssertionError after half a minute."""
        with self.changed:
            assert self.changed.wait_for(reached, 30), "it did not happen"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakePrometheus
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        with self.server.changed:
            self.server.requests += 1
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
            self.server.changed.notify_all()
        self.server.go_on.wait()
        start, end, step = (float(form[name][0]) for name in ("start", "end", "step"))
        times = [start + number * step for number in range(int((end - start) / step) + 1)]
        result = [
            {"metric": {"nearmiss_part": part}, "values": [(at, value) for at in times]} for part, value in WELL.items()
        ]
        body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
        with self.server.changed:
            self.server.at_once -= 1
            self.server.changed.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def fake_prometheus() -> Iterator[FakePrometheus]:
    """Until it is left."""
    with FakePrometheus() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()


def probe_feed(service: str, address: str, source: str = "") -> PulledFeed:
    """A feed as the settings give it."""
    pull = {"prometheus": address, "preset": "blackbox"}
    return FeedSettings.model_validate({"service": service, "source": source, "pull": pull}).feed()
