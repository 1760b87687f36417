"""A live service that asks hostile programs, and is asked by a chat and a sign-in that they answer: it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from monitor.ops.clock import SystemClock
from tests.e2e.hostile import EVENT
from tests.support.hostile_server import ANSWERS, MIB, HostileServer, hostile_server
from tests.support.onlooker import PATIENCE_SECONDS, Onlooker, disk, steady_server
from tests.support.service import Service
from tests.support.slack import SECRET, TOKEN, signed
from tests.support.waiting import until

TOOLS = {"alertmanager": "alertmanager-api", "grafana": "grafana-annotations", "kubernetes": "kubernetes"}
TRIES = 3
"""A busy machine delays an answer now and then; an input that blocks the service does it each time."""
FEW = ("deep objects", "numbers", "much", "endless", "bomb", "halves")
ASKED = {"alertmanager": tuple(ANSWERS), "grafana": FEW, "kubernetes": FEW}
WELL = {"alertmanager-api/cookies"}
"""What is an answer all the same."""
MEMORY, DISK = 160 * MIB, 24 * MIB


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as found:
        yield found


def started(directory: Path, settings: dict[str, Any], catalogue: dict[str, Any]) -> Iterator[Service]:
    (directory / "nearmiss.yaml").write_text(json.dumps(settings))
    (directory / "catalogue.yaml").write_text(json.dumps(catalogue))
    running = Service(
        directory, "--database", f"sqlite:///{directory / 'nearmiss.db'}",
        "--config", str(directory / "nearmiss.yaml"), "--catalogue", str(directory / "catalogue.yaml"),
    )  # fmt: skip
    try:
        yield running.start()
    finally:
        running.close()


@pytest.fixture(scope="module")
def asking(server: HostileServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """It pulls from hostile programs as from three tools, and as from a Prometheus."""
    settings = {
        "pulls": [
            {"tool": tool, "url": f"{server.address}/{quote(name)}", "name": name.replace(" ", "-"), "every": "10s"}
            for tool, names in ASKED.items()
            for name in names
        ],
        "feeds": [
            {"service": name.replace(" ", "-"), "source": "probe", "pull": {
                "prometheus": f"{server.address}/{quote(name)}", "preset": "blackbox"}}
            for name in FEW
        ],
    }  # fmt: skip
    catalogue = {"services": {name.replace(" ", "-"): {"user_facing": True} for name in ANSWERS}}
    yield from started(tmp_path_factory.mktemp("asking"), settings, catalogue)


@pytest.fixture(scope="module")
def service(server: HostileServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """People sign in by a provider, and a Slack has its secret."""
    settings = {
        "oidc": {"issuer": f"{server.address}/issuer", "client_id": "nearmiss", "client_secret": "a secret",
                 "address": "http://127.0.0.1:1"},
        "group_access": {"sre": {"access": "reviewer"}},
        "chat": {"address": "https://nearmiss.example.com", "slack_token": TOKEN, "slack_signing_secret": SECRET,
                 "slack_api": f"{server.address}/slack/",
                 "teams": {"*": {"channel": "C0PAYMENTS", "shift": "none", "weekly": "none"}}},
    }  # fmt: skip
    yield from started(tmp_path_factory.mktemp("asked"), settings, {"services": {"checkout": {}}})


@pytest.fixture(scope="module")
def control() -> Iterator[str]:
    with steady_server() as address:
        yield address


def explained(service: Service) -> set[str]:
    """The sources of which it is said why something gave no event."""
    return {row["source"] for row in service.get("/api/v1/sources").json()["sources"] if row["reasons"]}


def test_whatever_a_program_answers_costs_its_own_events_only(
    asking: Service, server: HostileServer, control: str
) -> None:
    """An Alertmanager with every answer there is, others with a few of them, each asked at least twice."""
    before, kept = asking.peak_memory(anew=True), disk(asking.directory)

    def asked(times: int) -> bool:
        with server.lock:
            return all(len(server.asked.get(name, ())) >= times * sum(name in names for names in ASKED.values())
                       for name in ANSWERS)  # fmt: skip

    late = []
    for times in range(1, TRIES + 1):
        with Onlooker(asking, control) as onlooker:
            until(partial(asked, times), "each was asked", within=90)
        late.append(onlooker.excess)
        if times > 1 and min(late) < PATIENCE_SECONDS:
            break
    assert min(late) < PATIENCE_SECONDS, late
    grown = asking.peak_memory() - before
    assert grown <= MEMORY, f"{grown:,} bytes of memory"
    assert disk(asking.directory) - kept <= DISK

    assert "elsewhere" not in server.asked, "no redirect is followed"
    assert not any(b"\ncookie:" in head.lower() for heads in server.asked.values() for head in heads)
    assert asking.metric('nearmiss_part_failures_total{part="pulls"}') == 0
    assert asking.metric('nearmiss_part_failures_total{part="feeds"}') == 0
    wrong = {f"{TOOLS[tool]}/{name.replace(' ', '-')}" for tool, names in ASKED.items() for name in names}
    wrong -= WELL
    until(lambda: wrong <= explained(asking), "each failure has a reason that people see", within=90)


PROVIDERS = ("endless", "bomb", "deep", "numbers", "ssh")


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_that_tells_nonsense_keeps_nobody_else_waiting(
    service: Service, server: HostileServer, control: str, name: str
) -> None:
    server.answers["issuer"] = ANSWERS[name]
    before = service.peak_memory(anew=True)
    late = []
    for _ in range(TRIES):
        with Onlooker(service, control) as onlooker:
            assert service.get("/login/oidc").status_code == 502
        late.append(onlooker.excess)
        if late[-1] < PATIENCE_SECONDS:
            break
    assert min(late) < PATIENCE_SECONDS, late
    assert service.peak_memory() - before <= MEMORY


def _pressed(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


_VIEW = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U1"}}
SLACK: dict[str, tuple[str, bytes]] = {
    "no payload": ("actions", b""),
    "deep": ("actions", urlencode({"payload": "[" * 80_000}).encode()),
    "fields without an end": ("actions", b"&".join([b"a=b"] * 20_000)),
    "actions that are none": ("actions", _pressed({"type": "block_actions", "actions": [[], {}, 7]})),
    "a value that is none": ("actions", _pressed({"type": "block_actions", "channel": {"id": "C0PAYMENTS"},
                             "actions": [{"action_id": "nearmiss_claim", "value": '["nm-1", 1e999]'}]})),
    "an address elsewhere": ("actions", _pressed({"type": "block_actions", "response_url": "http://ELSEWHERE/",
                             "actions": [{"action_id": "nearmiss_claim", "value": "[]"}]})),
    "no view": ("actions", _pressed({**_VIEW, "view": None})),
    "a view that is a list": ("actions", _pressed({**_VIEW, "view": [1]})),
    "a form about nothing": ("actions", _pressed({**_VIEW, "view": {"callback_id": "nearmiss_decide",
                             "private_metadata": "[]", "state": {"values": []}}})),
    "a report about nothing": ("actions", _pressed({**_VIEW, "view": {"callback_id": "nearmiss_weird",
                               "private_metadata": '{"token":7}', "state": []}})),
    "a command that is long": ("commands",
                               urlencode({"command": "/nearmiss", "text": "shift " + "x" * 50_000}).encode()),
    "a thread of angles": ("events", json.dumps({"type": "event_callback", "event_id": "E1", "event": {
        "type": "message", "channel": "C0PAYMENTS", "thread_ts": "1.000001", "ts": "2.000001",
        "text": "<" * 40_000}}).encode()),
    "a moment that is none": ("events", json.dumps({"type": "event_callback", "event_id": "E2", "event": {
        "type": "message", "thread_ts": "9" * 5_000, "ts": "9" * 5_000 + ".1", "text": "x"}}).encode()),
    "half a character": ("events", b'{"type":"event_callback","event_id":"\\ud800","event":{"text":"\\ud800"}}'),
    "a challenge": ("events", json.dumps({"type": "url_verification", "challenge": "x" * 100_000}).encode()),
}  # fmt: skip


@pytest.mark.parametrize("name", SLACK)
def test_whatever_slack_sends_is_answered(service: Service, server: HostileServer, control: str, name: str) -> None:
    """It is signed: what somebody in the workspace can have Slack send, and what a stolen secret could."""
    kind, body = SLACK[name]
    body = body.replace(b"ELSEWHERE", quote(f"localhost:{server.server_address[1]}/elsewhere").encode())
    before, kept, late, statuses = service.peak_memory(anew=True), disk(service.directory), [], []
    for times in range(TRIES):
        # Each time another request, as Slack's are.
        again = body + times * (b" " if kind == "events" else b"&")
        with Onlooker(service, control) as onlooker:
            answer = service.post(f"/chat/slack/{kind}", again, **signed(again, SystemClock().now()))
        late.append(onlooker.excess)
        statuses.append(answer.status_code)
        if late[-1] < PATIENCE_SECONDS and statuses[-1] != 503:
            break
    assert statuses[-1] in (200, 400)
    assert set(statuses) <= {200, 400, 503}, "503: a busy machine took longer to store it than Slack waits"
    assert min(late) < PATIENCE_SECONDS, late
    assert service.peak_memory() - before <= MEMORY
    assert disk(service.directory) - kept <= 8 * MIB


def test_the_service_never_stopped(service: Service, server: HostileServer) -> None:
    """Last in this file."""
    service.post("/ingest/events", json.dumps({**EVENT, "id": "the last"}).encode())
    until(
        lambda: service.metric("nearmiss_events_processed_total") == service.metric("nearmiss_events_accepted_total"),
        "the engine has read everything",
    )
    assert service.is_ready()
    assert "elsewhere" not in server.asked
    assert "Traceback" not in service.log()
