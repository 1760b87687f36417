"""Whatever is sent gets a named answer and is kept, and the stream goes on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import rejects
from monitor.core.model.events import MINUTE
from monitor.ops.clock import SystemClock
from tests.support.service import Service
from tests.support.waiting import until

GOOD: dict[str, Any] = {
    "id": "g",
    "source": "test",
    "time": "2026-03-01T12:00:00Z",
    "kind": "note.added",
    "service": "checkout",
}
_SECRET = "a-secret-of-pagerduty"
_TEN_MEGABYTES = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("bad-input")
    running = Service(
        directory,
        "--database",
        f"sqlite:///{directory / 'nearmiss.db'}",
        environment={"NEARMISS_SECRETS__PAGERDUTY": _SECRET},
    )
    try:
        yield running.start()
    finally:
        running.close()


def _event(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def _rejects(service: Service, *arguments: str) -> Result:
    database = f"sqlite:///{service.directory / 'nearmiss.db'}"
    return CliRunner().invoke(rejects.group, ["--database", database, *arguments])


def _kept(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _rejects(service, "list", "--format", "jsonl", "--all").stdout.splitlines()]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{not json", "not_json"),
        (b'{"id": "a", "source": "test", "time": "2026-03-01T12:00:00Z"}', "missing_field"),
        (_event(id=None), "missing_field"),
        (_event(kind="alert.exploded"), "unknown_kind"),
        (_event(time="2026-03-01T12:00:00"), "time_without_offset"),
        (_event(time="0001-01-01T00:00:00Z"), "time_out_of_range"),
        (_event(time="yesterday"), "bad_time"),
        (_event(title="nul \x00 byte"), "nul_byte"),
        (b'{"id": "\xff\xfe"}', "not_utf8"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (_event(labels={"a": json.loads("[" * 200 + "]" * 200)}), "too_deep"),
        (b'"just a text"', "not_an_event"),
        (b"42", "not_an_event"),
        (_event(id=["a", "list"]), "bad_field"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_bad_event_has_its_reason_and_its_bytes_are_kept(service: Service, body: bytes, reason: str) -> None:
    before = len(_kept(service))
    response = service.post("/ingest/events", body, content_type="application/json")
    assert response.status_code == 202
    answer = response.json()
    assert answer["accepted"] == 0
    assert [each["reason"] for each in answer["rejected"]] == [reason]
    assert answer["rejected"][0]["index"] == 0
    kept = _kept(service)
    assert len(kept) == before + 1
    assert (kept[-1]["reason"], kept[-1]["source"]) == (reason, "events")
    shown = _rejects(service, "show", str(kept[-1]["id"]))
    assert shown.exit_code == 0
    assert reason in shown.stdout


def test_a_bad_event_does_not_refuse_its_neighbours(service: Service) -> None:
    lines = b"\n".join([_event(id="n1"), b"{broken", _event(id="n2"), _event(id="n3", kind="no.kind"), _event(id="n1")])
    answer = service.post("/ingest/events", lines, content_type="application/x-ndjson").json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    assert [(each["index"], each["reason"]) for each in answer["rejected"]] == [(1, "not_json"), (3, "unknown_kind")]
    array = json.dumps([{**GOOD, "id": "n4"}, {"id": "x"}, {**GOOD, "id": "n2"}]).encode()
    answer = service.post("/ingest/events", array, content_type="application/json").json()
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    assert [(each["index"], each["reason"]) for each in answer["rejected"]] == [(1, "missing_field")]


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "2099-01-01T00:00:00Z"},
        {"value": 2**60},
        {"time": "2016-12-31T23:59:60Z"},
        {"service": "nobody-knows-it"},
        {"environment": None},
    ],
    ids=str,
)
def test_what_is_merely_odd_is_accepted(service: Service, changes: dict[str, object]) -> None:
    answer = service.post("/ingest/events", _event(id=f"odd {changes}", **changes)).json()
    assert (answer["accepted"], answer["rejected"]) == (1, [])


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b" " * _TEN_MEGABYTES, ""), (gzip.compress(b" " * 200_000_000), "gzip")],
    ids=["ten megabytes", "a bomb"],
)
def test_too_much_is_told_so(service: Service, body: bytes, encoding: str) -> None:
    response = service.post("/ingest/events", body, content_encoding=encoding)
    assert response.status_code == 413
    assert [each["reason"] for each in response.json()["rejected"]] == ["too_large"]
    kept = _kept(service)[-1]
    assert kept["reason"] == "too_large"
    assert kept["bytes"] == 4096
    assert f"only the first 4,096 of {len(body):,} bytes are kept" in kept["detail"]
    # A vendor too: 2xx says that nothing is lost.
    response = service.post("/ingest/github", body, content_encoding=encoding)
    assert response.status_code == 413
    assert [each["reason"] for each in response.json()["rejected"]] == ["too_large"]
    assert _kept(service)[-1]["source"] == "github"
    requeued = _rejects(service, "requeue", str(kept["id"]))
    assert requeued.exit_code == 1
    assert "let its sender send it again" in requeued.stdout


def test_compression_that_is_none(service: Service) -> None:
    response = service.post("/ingest/events", b"plain", content_encoding="gzip")
    assert response.status_code == 202
    assert [each["reason"] for each in response.json()["rejected"]] == ["bad_compression"]
    packed = gzip.compress(_event(id="packed"))
    assert service.post("/ingest/events", packed, content_encoding="gzip").json()["accepted"] == 1


def test_an_unknown_source_is_named_with_those_that_there_are(service: Service) -> None:
    response = service.post("/ingest/no-such-tool/here", b"{}")
    assert response.status_code == 404
    assert "pagerduty" in response.json()["sources"]
    assert _kept(service)[-1]["reason"] == "unknown_source"


@pytest.mark.parametrize(
    "path", ["/ingest/github%00", "/ingest/github/../x", "/ingest/" + "a" * 5000, "/ingest/%F0%9F"]
)
def test_strange_names_of_sources_are_no_server_error(service: Service, path: str) -> None:
    assert service.post(path, b"{}").status_code == 404


def test_a_wrong_signature_is_refused_and_kept_short(service: Service) -> None:
    response = service.post("/ingest/pagerduty/acme", b"x" * 100_000, x_pagerduty_signature="v1=00")
    assert response.status_code == 401
    kept = _kept(service)[-1]
    assert (kept["reason"], kept["source"]) == ("bad_signature", "pagerduty/acme")
    assert kept["bytes"] < 10_000
    assert _SECRET not in response.text + service.log()


def test_strangers_cannot_fill_the_disk(service: Service) -> None:
    before, sent = len(_kept(service)), 0
    first = SystemClock().now() // MINUTE

    def may_be_kept() -> int:
        """At most 60 in each minute of the clock that they touch."""
        return 60 * (SystemClock().now() // MINUTE - first + 1)

    while sent < may_be_kept() + 30:
        assert service.post("/ingest/pagerduty", b"{}").status_code == 401
        sent += 1
    assert len(_kept(service)) - before <= may_be_kept()
    assert service.metric('nearmiss_events_rejected_total{reason="bad_signature"}') >= sent


def test_a_vendors_unknown_type_is_accepted_and_counted(service: Service) -> None:
    response = service.post("/ingest/github/acme/shop", b'{"zen": "Speak like a human."}', x_github_event="ping")
    assert response.status_code == 202
    assert response.json()["ignored"]
    response = service.post("/ingest/github/acme/shop", b'{"action": "created"}', x_github_event="star")
    assert (response.status_code, response.json()["accepted"]) == (202, 0)


def test_handshakes_are_answered(service: Service) -> None:
    asked = b'{"type": "url_verification", "token": "t", "challenge": "say this"}'
    response = service.post("/ingest/events", asked, content_type="application/json")
    assert (response.status_code, response.json()) == (200, {"challenge": "say this"})
    response = service.http.options(
        service.address + "/ingest/cloudevents", headers={"webhook-request-origin": "events.example.com"}
    )
    assert response.status_code == 200
    assert response.headers["webhook-allowed-origin"] == "events.example.com"
    assert response.headers["webhook-allowed-rate"] == "*"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/cloudevents+json", lambda event: event),
        ("application/cloudevents-batch+json", lambda event: [event]),
    ],
)
def test_cloudevents_come_in_an_envelope(service: Service, content_type: str, body: Any) -> None:
    name = content_type.rpartition("/")[2]
    data = {name: value for name, value in GOOD.items() if name not in ("id", "source", "time", "kind")}
    envelope = {
        "specversion": "1.0",
        "id": name,
        "source": "test",
        "time": GOOD["time"],
        "type": "nearmiss.note.added",
        "data": data,
    }
    answer = service.post("/ingest/events", json.dumps(body(envelope)).encode(), content_type=content_type).json()
    assert (answer["accepted"], answer["rejected"]) == (1, [])


def test_cloudevents_come_in_headers(service: Service) -> None:
    answer = service.post(
        "/ingest/events",
        b'{"service": "checkout"}',
        content_type="application/json",
        ce_specversion="1.0",
        ce_id="binary",
        ce_source="test",
        ce_time="2026-03-01T12:00:00Z",
        ce_type="nearmiss.note.added",
    ).json()
    assert (answer["accepted"], answer["rejected"]) == (1, [])


def test_rejects_are_requeued_and_say_what_became_of_them(service: Service) -> None:
    service.post("/ingest/events", _event(id="still-bad", kind="no.kind"))
    bad = _kept(service)[-1]["id"]
    done = _rejects(service, "requeue", str(bad))
    assert done.exit_code == 1
    assert f"{bad}: still unreadable: unknown_kind" in done.stdout
    missing = _rejects(service, "requeue", "999999")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "there is no reject 999999" in missing.stderr
    assert _rejects(service, "requeue").exit_code == 2
    assert _rejects(service, "show", "999999").exit_code == 1


def test_the_stream_never_stopped(service: Service) -> None:
    """Last in this file: after all of the above the engine has read whatever was accepted, and the service is well."""
    service.post("/ingest/events", _event(id="the last"))
    until(
        lambda: service.metric("nearmiss_events_processed_total") == service.metric("nearmiss_events_accepted_total"),
        "the engine has read everything",
    )
    assert service.is_ready()
    assert service.metric("nearmiss_intake_paused") == 0
