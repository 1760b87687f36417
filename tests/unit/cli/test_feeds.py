"""`nearmiss feeds discover` where there is nothing to find: the reason, and nothing that looks like an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from click.testing import CliRunner, Result

from monitor.cli.main import cli

NOWHERE = "http://127.0.0.1:1"


def discover(*words: str) -> Result:
    return CliRunner().invoke(cli, ["feeds", "discover", *words])


@contextmanager
def empty_prometheus() -> Iterator[str]:
    """Its address; it has no series at all."""
    said = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_prometheus_that_is_away_gives_its_reason_alone() -> None:
    done = discover(NOWHERE)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{NOWHERE}: unreachable: ")


def test_one_that_has_no_feed_says_what_was_looked_for() -> None:
    with empty_prometheus() as address:
        done = discover(address)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{address}: no feed found")
    assert "probe_success" in done.stderr
