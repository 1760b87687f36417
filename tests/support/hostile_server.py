"""Answers each path with what no honest program answers; remembers whom it was asked by, and what else was reached."""

from __future__ import annotations

import gzip
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MIB = 1 << 20
Answer = Callable[[], Iterator[bytes]]


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Iterator[bytes]:
    yield b"\r\n".join([b"HTTP/1.1 " + status, b"content-length: %d" % len(body), b"connection: close", *headers])
    yield b"\r\n\r\n" + body


def _chunks(chunk: bytes, times: int) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    for _ in range(times):
        yield b"%x\r\n%b\r\n" % (len(chunk), chunk)


def _elsewhere(location: bytes) -> Answer:
    return lambda: whole(b"", b"location: " + location, status=b"302 Found")


ANSWERS: dict[str, Answer] = {
    "endless": lambda: _chunks(b" " * 65_536, 100_000),
    "headers": lambda: iter([b"HTTP/1.1 200 OK\r\n", *[b"x: %b\r\n" % (b"y" * 60_000)] * 500]),
    "cookies": lambda: whole(b"[]", *[b"set-cookie: a%d=%b; path=/" % (n, b"b" * 1000) for n in range(50)]),
    "bomb": lambda: whole(gzip.compress(gzip.compress(bytes(200 * MIB), 1), 1), b"content-encoding: gzip, gzip"),
    "file": _elsewhere(b"file:///etc/passwd"),
    "other": _elsewhere(b"http://ELSEWHERE/secret"),
    "later": lambda: whole(b"{}", b"retry-after: 99999999999999", status=b"429 Too Many Requests"),
    "sometime": lambda: whole(b"{}", b"retry-after: Fri, 31 Dec 9999 23:59:59 GMT", status=b"503 Unavailable"),
    "page": lambda: whole(b"<html>" + b"x" * MIB, b"content-type: text/html"),
    "deep": lambda: whole(b"[" * 100_000),
    "deep objects": lambda: whole(b'[{"a":' * 50_000),
    "numbers": lambda: whole(b'[{"id":NaN,"startsAt":1e999999,"x":-Infinity,"y":%b}]' % (b"9" * 100_000)),
    "twice": lambda: whole(b"[{" + b",".join([b'"id":"a"'] * 50_000) + b"}]"),
    "much": lambda: whole(b"[" + b",".join([b"{}"] * 600_000) + b"]"),
    "too much": lambda: whole(b"[" + b" " * 3 * MIB + b"]"),
    "halves": lambda: whole(b'[{"id":"\\ud800","comment":"\xff"}]'),
    "short": lambda: iter([b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n[]"]),
    "ssh": lambda: iter([b"SSH-2.0-OpenSSH_9.9\r\n"]),
    "nothing": lambda: iter([]),
    "silence": lambda: iter([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n "]),
}
HELD = frozenset({"silence"})
"""Those whose connection stays open, without another byte, until the other side leaves."""


class HostileServer(socketserver.ThreadingTCPServer):
    """`answers` by the first part of a path; may be changed while it runs."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = dict(ANSWERS)
        self.asked: dict[str, list[bytes]] = {}
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, HostileServer)
        head, length = b"", 0
        while (line := self.rfile.readline(65_536)) not in (b"\r\n", b""):
            head += line
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        self.rfile.read(length)  # Unread, it would break the connection before our answer is heard.
        name = head.split(b" ")[1].decode().strip("/").partition("/")[0].replace("%20", " ") if head else ""
        with self.server.lock:
            self.server.asked.setdefault(name, []).append(head)
        try:
            for piece in self.server.answers.get(name, lambda: whole(b"{}"))():
                self.wfile.write(piece.replace(b"ELSEWHERE", self.server.address.encode()[7:] + b"/elsewhere"))
            self.wfile.flush()
            if name in HELD:
                self.rfile.read()
        except OSError:
            pass  # It did not hear us out.


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    with HostileServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
