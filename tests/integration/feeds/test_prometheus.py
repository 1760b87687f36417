"""A small Prometheus on loopback: its answers become events of the running service, and each failure has a name."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner

from monitor.asking import QueryFailed
from monitor.cli.main import cli
from monitor.core.model.events import MINUTE
from monitor.core.model.reasons import FeedFailure
from monitor.feeds.queries import PulledFeed
from monitor.feeds.states import FeedName, Limits
from monitor.feeds.tools import Tools
from tests.support.service import Service
from tests.support.waiting import until

Answer = tuple[int, bytes]
START = 1_800_000_000_000_000 // MINUTE * MINUTE


class Fake(ThreadingHTTPServer):
    """Answers each request as `answer` says; remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Callable[[dict[str, str]], Answer] = well
        self.asked: list[tuple[dict[str, str], dict[str, str]]] = []
        self.go_on = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.server.asked.append((form, dict(self.headers)))
        status, answer = self.server.answer(form)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def matrix(series: dict[str, list[tuple[float, str]]], **more: Any) -> Answer:
    result = [{"metric": {"nearmiss_part": part}, "values": values} for part, values in series.items()]
    data = {"resultType": "matrix", "result": result}
    return 200, json.dumps({"status": "success", "data": data, **more}).encode()


def well(form: dict[str, str]) -> Answer:
    """A probe that succeeds all the time."""
    start, end, step = (float(form[name]) for name in ("start", "end", "step"))
    times = [start + number * step for number in range(int((end - start) / step) + 1)]
    parts = {"lowest": "1", "newest": "1", "samples": "10", "age": "5"}
    return matrix({part: [(at, value) for at in times] for part, value in parts.items()})


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


def feed(address: str) -> PulledFeed:
    limits = Limits(30, 8, has_counts=True, has_requests=False)
    headers = {"Authorization": "Bearer abc", "X-Scope-OrgID": "shop"}
    return PulledFeed(FeedName("checkout", "blackbox", "synthetic"), address, "QUERY", MINUTE, limits, headers)


async def ask(fake: Fake, **options: Any) -> list[dict[str, float]]:
    async with Tools(**options) as prometheus:
        return await prometheus.steps(feed(fake.address), START, START + 3 * MINUTE)


async def test_each_value_is_at_its_step(fake: Fake) -> None:
    second = START // 1_000_000
    fake.answer = lambda _: matrix(
        {"burn": [(second + 60, "0.5"), (second + 180, "NaN")], "age": [(second + 120, "7"), (second, "1")]}
    )
    first, middle, last = await ask(fake)
    assert (first, middle) == ({"burn": 0.5}, {"age": 7.0})
    assert last["burn"] != last["burn"]
    ((form, headers),) = fake.asked
    assert form["query"] == "QUERY"
    assert (form["start"], form["end"], form["step"]) == (
        f"{second + 60}.000000",
        f"{second + 180}.000000",
        "60.000000",
    )
    assert (headers["Authorization"], headers["X-Scope-OrgID"]) == ("Bearer abc", "shop")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"", FeedFailure.DENIED),
        (403, b"{}", FeedFailure.DENIED),
        (422, b'{"status":"error","error":"too many samples"}', FeedFailure.REFUSED),
        (400, b'{"status":"error","error":"parse error"}', FeedFailure.REFUSED),
        (502, b"<html>", FeedFailure.REFUSED),
        (302, b"", FeedFailure.REFUSED),
        (200, b"<html>", FeedFailure.UNREADABLE),
        (200, b"[" * 100_000, FeedFailure.UNREADABLE),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[]}}', FeedFailure.UNREADABLE),
        (200, b'{"status":"error","error":"x"}', FeedFailure.REFUSED),
        (200, b" " * 3_000_000, FeedFailure.TOO_LARGE),
        # No tenant, or another's: Mimir refuses.
        (401, b"no org id", FeedFailure.DENIED),
        (200, matrix({str(number): [(1, "1")] for number in range(100)})[1], FeedFailure.UNREADABLE),
        (*matrix({}, warnings=["a store is away"]), FeedFailure.PARTIAL),
        (*matrix({"burn": [(1, "many")]}), FeedFailure.UNREADABLE),
    ],
)
async def test_a_failure_has_a_name(fake: Fake, status: int, body: bytes, reason: FeedFailure) -> None:
    fake.answer = lambda _: (status, body)
    with pytest.raises(QueryFailed) as caught:
        await ask(fake)
    assert caught.value.reason is reason


async def test_one_that_does_not_answer_is_given_up(fake: Fake) -> None:
    def never(_form: dict[str, str]) -> Answer:
        fake.go_on.wait()
        return 200, b""

    fake.answer = never
    with pytest.raises(QueryFailed) as caught:
        await ask(fake, seconds=0.2)
    assert caught.value.reason is FeedFailure.TIMEOUT


async def test_one_that_is_not_there_is_unreachable() -> None:
    async with Tools() as prometheus:
        with pytest.raises(QueryFailed) as caught:
            await prometheus.steps(feed("http://127.0.0.1:1"), START, START + MINUTE)
    assert caught.value.reason is FeedFailure.UNREACHABLE


def config(folder: Path, address: str) -> str:
    path = folder / "nearmiss.yaml"
    path.write_text(
        f"feeds: [{{service: checkout, pull: {{prometheus: '{address}', preset: blackbox}}}}]\n", encoding="utf-8"
    )
    return str(path)


def test_the_service_pulls_its_feeds(fake: Fake, tmp_path: Path) -> None:
    there = config(tmp_path, fake.address)
    service = Service(tmp_path, "--database", f"sqlite:///{tmp_path / 'n.db'}", "--config", there)
    try:
        service.start()
        until(lambda: service.metric("nearmiss_feeds") == 1, "the engine knows the feed")
        steps = 'nearmiss_feed_steps_total{state="clear"}'
        until(lambda: service.metric(steps) >= 60, "an hour was looked at")
        assert "HTTP Request" not in service.log()
        (form, _), *_ = fake.asked
        assert 'probe_success{service="checkout"}' in form["query"]
    finally:
        service.close()


def test_a_service_goes_on_without_its_prometheus(tmp_path: Path) -> None:
    away = config(tmp_path, "http://127.0.0.1:1")
    service = Service(tmp_path, "--database", f"sqlite:///{tmp_path / 'n.db'}", "--config", away)
    try:
        service.start()
        name = 'nearmiss_feed_failures_total{reason="unreachable"}'
        until(lambda: service.metric(name) >= 1, "the failure is counted")
        assert service.is_ready()
    finally:
        service.close()


def test_the_check_draws_a_day(fake: Fake, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["feeds", "check", "--config", config(tmp_path, fake.address)])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[2:] == ["checkout  blackbox  synthetic", "=" * 96]
    assert len(fake.asked) == 4

    fake.answer = lambda _: matrix({})
    blind = CliRunner().invoke(cli, ["feeds", "check", "--config", config(tmp_path, fake.address)])
    assert blind.exit_code == 1
    assert blind.output.splitlines()[3:] == ["." * 96, "  blind for 1 d: no_data"]

    fake.answer = lambda _: (401, b"")
    denied = CliRunner().invoke(cli, ["feeds", "check", "--config", config(tmp_path, fake.address)])
    assert denied.exit_code == 1
    assert "denied: answered 401; check `authorization`" in denied.output


def test_a_check_without_feeds_says_what_to_write(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["feeds", "check"])
    assert done.exit_code == 2
    assert "no feed is configured" in done.output
