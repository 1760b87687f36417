"""Datadog, Google Cloud, Checkly and Statuspage on loopback: their answers, and what each step says of users."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from monitor.asking import QueryFailed
from monitor.core.model.events import MINUTE, SECOND, Instant, to_text
from monitor.core.model.reasons import FeedFailure, FeedStep
from monitor.feeds.settings import FeedSettings
from monitor.feeds.states import Cursor, advance, state_of
from monitor.feeds.tools import Tools

START = 1_800_000_000_000_000 // MINUTE * MINUTE
C, H, B = FeedStep.CLEAR, FeedStep.HURT, FeedStep.BETWEEN
SLO = "projects/shop/services/web/serviceLevelObjectives/fast"

Answers = Callable[[str, Mapping[str, str]], tuple[int, Any]]


class Fake(ThreadingHTTPServer):
    """Answers as `answers` says; remembers path, query and headers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: Answers = lambda *_: (404, {})
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        query = dict(parse_qsl(path.query))
        self.server.asked.append((path.path, query, {name.lower(): told for name, told in self.headers.items()}))
        status, answer = self.server.answers(path.path, query)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def at(minute: float) -> str:
    return to_text(Instant(int(START + minute * MINUTE))) or ""


async def states(fake: Fake, minutes: int = 1, **settings: Any) -> list[FeedStep]:
    """What the steps after START say."""
    given = {"statuspage": fake.address} if "statuspage" in settings else {**settings, "address": fake.address}
    feed = FeedSettings.model_validate({"service": "checkout", "pull": {**settings, **given}}).feed()
    async with Tools() as tools:
        found = await tools.steps(feed, START, START + minutes * MINUTE)
    return [state_of(parts, feed.limits) for parts in found]


def history(good: list[float | None], total: list[float | None], **more: Any) -> dict[str, Any]:
    """A point each minute, the last one at the end of the first step."""
    first = START // SECOND + 60 - 60 * (len(total) - 1)
    times = [1000.0 * (first + 60 * place) for place in range(len(total))]
    series = {"times": times, "numerator": {"values": good}, "denominator": {"values": total}}
    return {"data": {"series": series, "thresholds": {"30d": {"target": 99.0}}}, **more}


@pytest.mark.parametrize(
    ("good", "total", "state"),
    [
        ([100.0] * 5, [100.0] * 5, C),
        # Half of the budget of a percent, twice of it, fifteen times.
        ([99.5] * 5, [100.0] * 5, C),
        ([98.0] * 5, [100.0] * 5, B),
        ([85.0] * 5, [100.0] * 5, H),
        ([1.0] * 5, [1.0] * 5, FeedStep.BELOW_FLOOR),
        ([0.0] * 5, [0.0] * 5, FeedStep.BELOW_FLOOR),
        ([100.0] * 3, [100.0] * 3, FeedStep.TOO_FEW_SAMPLES),
        # It stopped reporting three minutes before.
        ([100.0] * 8 + [None] * 3, [100.0] * 8 + [None] * 3, FeedStep.STALE),
        ([], [], FeedStep.NO_DATA),
    ],
)
async def test_datadog(fake: Fake, good: list[float | None], total: list[float | None], state: FeedStep) -> None:
    fake.answers = lambda *_: (200, history(good, total))
    keys = {"DD-API-KEY": "key", "DD-APPLICATION-KEY": "app"}
    assert await states(fake, datadog="abc123", headers=keys) == [state]
    ((path, query, headers),) = fake.asked
    assert path == "/api/v1/slo/abc123/history"
    assert query["apply_correction"] == "false"
    assert int(query["to_ts"]) - int(query["from_ts"]) == 300
    assert (headers["dd-api-key"], headers["dd-application-key"]) == ("key", "app")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (history([], [], errors=[{"error": "a query failed"}]), FeedFailure.PARTIAL),
        # An SLO of monitors shows no counts.
        ({"data": {"overall": {"sli_value": 100}}}, FeedFailure.UNREADABLE),
        (history([1.0], [1.0, 2.0]), FeedFailure.UNREADABLE),
        ([], FeedFailure.UNREADABLE),
    ],
)
async def test_datadog_gives_no_answer_to_rely_on(fake: Fake, answer: Any, reason: FeedFailure) -> None:
    fake.answers = lambda *_: (200, answer)
    with pytest.raises(QueryFailed) as caught:
        await states(fake, datadog="abc123")
    assert caught.value.reason is reason


def google(burn: list[float], counts: list[int]) -> Answers:
    def series(values: list[Any], key: str) -> list[dict[str, Any]]:
        points = [{"interval": {"endTime": at(1 - place)}, "value": {key: value}} for place, value in enumerate(values)]
        return [{"points": points}] if points else []

    def answers(_path: str, query: Mapping[str, str]) -> tuple[int, Any]:
        if "burn_rate" in query["filter"]:
            return 200, {"timeSeries": series(burn, "doubleValue")}
        return 200, {"timeSeries": series([str(count) for count in counts], "int64Value")}

    return answers


@pytest.mark.parametrize(
    ("burn", "counts", "state"),
    [
        ([0.5] * 5, [100] * 5, C),
        ([2.0] + [0.5] * 4, [100] * 5, B),
        ([15.0] * 5, [100] * 5, H),
        ([0.0] * 5, [1] * 5, FeedStep.BELOW_FLOOR),
        ([0.0] * 5, [], FeedStep.BELOW_FLOOR),
        ([], [100] * 5, FeedStep.NO_DATA),
        ([0.5] * 2, [100] * 5, FeedStep.TOO_FEW_SAMPLES),
    ],
)
async def test_google(fake: Fake, burn: list[float], counts: list[int], state: FeedStep, tmp_path: Path) -> None:
    fake.answers = google(burn, counts)
    token = tmp_path / "token"
    token.write_text("Bearer first\n", encoding="utf-8")
    assert await states(fake, google=SLO, authorization_file=str(token)) == [state]
    (path, query, headers), (_, counted, _) = fake.asked
    assert path == "/v3/projects/shop/timeSeries"
    assert query["filter"] == f'select_slo_burn_rate("{SLO}","300s")'
    assert counted["filter"] == f'select_slo_counts("{SLO}")'
    assert headers["authorization"] == "Bearer first"
    # It expires after an hour: whoever renews it only writes the file.
    token.write_text("Bearer second\n", encoding="utf-8")
    await states(fake, google=SLO, authorization_file=str(token))
    assert fake.asked[-1][2]["authorization"] == "Bearer second"


async def test_a_token_that_is_not_there_is_a_denial(fake: Fake, tmp_path: Path) -> None:
    with pytest.raises(QueryFailed) as caught:
        await states(fake, google=SLO, authorization_file=str(tmp_path / "none"))
    assert caught.value.reason is FeedFailure.DENIED
    assert fake.asked == []


def run_of(minute: float, *, passed: bool = True, **more: Any) -> dict[str, Any]:
    return {"id": f"r{minute}", "stoppedAt": at(minute), "hasFailures": not passed, "hasErrors": False, **more}


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ([run_of(0), run_of(-5)], C),
        ([run_of(0), run_of(-5, passed=False)], B),
        ([run_of(0, passed=False), run_of(-5)], H),
        # An attempt that is tried again is not the result.
        ([run_of(0), run_of(-0.5, passed=False, resultType="ATTEMPT")], C),
        # One place of two failed at the same moment.
        ([run_of(0), run_of(0, passed=False)], H),
        ([run_of(-12)], FeedStep.NO_DATA),
        ([], FeedStep.NO_DATA),
        # It has not ended.
        ([run_of(0) | {"stoppedAt": None}], FeedStep.NO_DATA),
    ],
)
async def test_checkly(fake: Fake, runs: list[dict[str, Any]], state: FeedStep) -> None:
    def answers(_path: str, query: Mapping[str, str]) -> tuple[int, Any]:
        # A page for each run.
        place = int(query.get("nextId", "0"))
        more = str(place + 1) if place + 1 < len(runs) else None
        return 200, {"entries": runs[place : place + 1], "nextId": more}

    fake.answers = answers
    settings: dict[str, Any] = {
        "checkly": "c-1",
        "authorization": "Bearer key",
        "headers": {"X-Checkly-Account": "acme"},
    }
    assert await states(fake, **settings) == [state]
    assert len(fake.asked) == max(1, len(runs))
    path, _, headers = fake.asked[0]
    assert (path, headers["x-checkly-account"]) == ("/v2/check-results/c-1", "acme")


async def test_checkly_is_read_page_by_page_and_not_for_ever(fake: Fake) -> None:
    fake.answers = lambda *_: (200, {"entries": [run_of(0)], "nextId": "again"})
    with pytest.raises(QueryFailed) as caught:
        await states(fake, checkly="c-1")
    assert caught.value.reason is FeedFailure.TOO_LARGE


def incident(impact: str, start: float, end: float | None, component: str = "Checkout") -> dict[str, Any]:
    resolved = None if end is None else at(end)
    named = [{"name": component}]
    return {"impact": impact, "created_at": at(start), "resolved_at": resolved, "components": named}


async def test_a_status_page_tells_impact_and_its_silence_is_never_clear(fake: Fake) -> None:
    told = [incident("major", 3, 6), incident("none", 0, None), incident("minor", 0, 9, "Search")]
    fake.answers = lambda *_: (200, {"incidents": told})
    found = await states(fake, 10, statuspage=True, component="checkout")
    silent = FeedStep.UNTOLD
    assert found == [silent] * 2 + [H] * 3 + [silent] * 5
    name = FeedSettings.model_validate({"service": "checkout", "pull": {"statuspage": fake.address}}).name
    assert name.evidence == "status_post"
    _, events = advance(name, Cursor(START), MINUTE, found, 5 * MINUTE)
    assert [event.kind for event in events] == ["impact.started", "impact.ended"]
    assert [event.began_at for event in events] == [START + 2 * MINUTE] * 2
    assert events[1].time == START + 5 * MINUTE


@pytest.mark.parametrize("settings", [{"datadog": "a"}, {"google": SLO}, {"checkly": "c"}, {"statuspage": True}])
@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"{}", FeedFailure.DENIED),
        (403, b"", FeedFailure.DENIED),
        (404, b"{}", FeedFailure.REFUSED),
        (429, b"slow down", FeedFailure.REFUSED),
        (200, b"<html>", FeedFailure.UNREADABLE),
        (200, b"[" * 100_000, FeedFailure.UNREADABLE),
        (200, b" " * 3_000_000, FeedFailure.TOO_LARGE),
    ],
)
async def test_each_failure_has_its_name(
    fake: Fake, settings: dict[str, Any], status: int, body: bytes, reason: FeedFailure
) -> None:
    fake.answers = lambda *_: (status, body)
    with pytest.raises(QueryFailed) as caught:
        await states(fake, **settings)
    assert caught.value.reason is reason
