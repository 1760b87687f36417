"""Which decoder reads a source, and that whatever happens is in the outcome."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from monitor.core.model.reasons import Ignored, Mark, Rejected
from monitor.decode import registry
from monitor.decode.canonical import Unreadable
from monitor.decode.jsontext import MAX_BODY_BYTES, MAX_GROUP_BYTES, MOST_VALUES, load
from monitor.decode.known import TOOLS
from monitor.decode.outcome import MOST_PIECES, MOST_TOLD
from monitor.decode.registry import SOURCES, decode
from tests.unit.decode.deliveries import RECEIVED_AT, event, events, left_out, outcome, refused

ONE = {"id": "e1", "source": "probe", "time": "2026-03-10T12:00:00Z", "kind": "alert.fired"}
TWO = ONE | {"id": "e2"}
PUSH = {
    "ref": "refs/heads/main",
    "before": "a1",
    "after": "b2",
    "repository": {"name": "shop", "full_name": "acme/shop", "default_branch": "main", "pushed_at": 1_773_140_000},
}


def test_the_first_part_of_the_name_picks_the_decoder_and_the_whole_name_stays() -> None:
    assert event("github/acme/shop", PUSH).source == "github/acme/shop"
    assert refused("gitlabs/acme", PUSH) == Rejected.UNKNOWN_SOURCE
    assert refused("github/\0", PUSH) == Rejected.UNKNOWN_SOURCE
    assert "github" in decode("", b"{}").refusals[0].detail


@pytest.mark.parametrize("source", ["events", "canonical"])
@pytest.mark.parametrize(
    "body",
    [
        json.dumps([ONE, TWO]).encode(),
        json.dumps([ONE, TWO], indent=2).encode(),
        f"{json.dumps(ONE)}\n{json.dumps(TWO)}".encode(),
        f"\ufeff\n{json.dumps(ONE)}\r\n\n{json.dumps(TWO)}\n\n".encode(),
    ],
)
def test_own_events_as_an_array_or_as_lines(source: str, body: bytes) -> None:
    assert [found.id for found in events(source, body)] == ["e1", "e2"]


def test_one_event_over_several_lines() -> None:
    assert event("events", json.dumps(ONE, indent=2).encode()).id == "e1"


def test_a_bad_event_does_not_refuse_its_neighbours_and_only_its_bytes_are_kept() -> None:
    bad = b'{"id": "x", "source": "s", "time": "2026-03-10T12:00:00", "kind": "alert.fired"}'
    lines = b"\n".join([json.dumps(ONE).encode(), bad, b'{"cut', b'{"id":"\xff"}', json.dumps(TWO).encode()])
    found = outcome("events", lines)
    assert [one.id for one in found.events] == ["e1", "e2"]
    assert [(one.index, one.reason) for one in found.refusals] == [
        (1, Rejected.TIME_WITHOUT_OFFSET),
        (2, Rejected.NOT_JSON),
        (3, Rejected.NOT_UTF8),
    ]
    assert found.unread == b"\n".join([bad, b'{"cut', b'{"id":"\xff"}'])
    array = outcome("events", [ONE, 5, TWO])
    assert [one.id for one in array.events] == ["e1", "e2"]
    assert [(one.index, one.reason) for one in array.refusals] == [(1, Rejected.NOT_AN_EVENT)]
    assert array.unread == b"5"
    assert outcome("events", [5, ONE, "\n6"]).unread == b'[5,"\\n6"]'


def test_a_body_of_many_bad_pieces_is_one_reject_with_a_count_and_the_first_reasons() -> None:
    bad = b"[" + b",".join([b"1"] * 1000) + b"]"
    for source, body in (("events", bad), ("alertmanager", b'{"alerts":' + bad + b"}")):
        found = decode(source, body)
        assert (found.refused, found.refused_count) == ({Rejected.NOT_AN_EVENT: 1000}, 1000)
        assert len(found.refusals) == MOST_TOLD
        assert found.unread == body
        assert found.detail.startswith("1,000 pieces of the body; the first by their place, from 0: 0: not_an_event: ")


@pytest.mark.parametrize("body", [b"[%s]", b'{"alerts":[%s]}', b'{"items":[%s]}'])
@pytest.mark.parametrize("source", sorted(SOURCES))
def test_the_pieces_of_a_body_are_bounded(source: str, body: bytes) -> None:
    found = decode(source, body.replace(b"%s", b",".join([b"{}"] * (MOST_PIECES + 1))))
    assert (found.refused_count, found.events) == (1, ())


def test_pieces_are_counted_before_they_take_memory() -> None:
    """Half a million, which came as a kilobyte: made, and dropped at once, they hold up everything else."""
    body = b"[" + b",".join([b"1"] * 500_000) + b"]"
    tracemalloc.start()
    try:
        found = decode("events", body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (refusal,) = found.refusals
    assert (refusal.reason, found.unread) == (Rejected.TOO_LARGE, body)
    assert "more than 50,000 pieces" in refusal.detail
    assert peak < 3 * len(body)


def test_few_pieces_of_many_values_each_are_taken() -> None:
    many = ONE | {"labels": {f"n{number}": "x" for number in range(60)}}
    body = json.dumps([many | {"id": f"e{number}"} for number in range(1_000)]).encode()
    assert body.count(b",") > MOST_PIECES
    assert len(decode("events", body).events) == 1_000


def test_a_body_of_more_values_than_memory_holds_is_refused_before_it_is_parsed() -> None:
    for source in ("events", "github"):
        (refusal,) = decode(source, b"[" + b"1," * MOST_VALUES + b"1,1]").refusals
        assert refusal.reason == Rejected.TOO_LARGE
        assert "values; at most 1,000,000" in refusal.detail
    (lines,) = decode("events", b"{}" + b"\n" * (MOST_VALUES + 1) + b"{}").refusals
    assert lines.reason == Rejected.TOO_LARGE


def _alerts(number: int, of: str = "a", padding: str = "") -> str:
    labels = {"alertname": "DiskFull", "service": "checkout", "padding": padding}
    return json.dumps(
        [
            {"status": "firing", "labels": labels, "fingerprint": f"{of}{n}", "startsAt": "2026-03-10T12:00:00Z"}
            for n in range(number)
        ]
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(_alerts(2), _alerts(1, "b"), id="small"),
        pytest.param(_alerts(2), "[]", id="the second is empty"),
        pytest.param(_alerts(9000, padding="x" * 700), _alerts(1, "b"), id="large"),
    ],
)
def test_alerts_under_one_name_twice_are_refused_and_kept(first: str, second: str) -> None:
    """The later ones would be read, and the first lost although they were answered 202."""
    body = f'{{"version": "4", "alerts": {first}, "status": "firing", "alerts": {second}}}'.encode()
    found = decode("alertmanager", body)
    (refusal,) = found.refusals
    assert (refusal.reason, found.unread, found.events) == (Rejected.NOT_AN_EVENT, body, ())
    assert "named twice" in refusal.detail


def test_a_name_that_occurs_elsewhere_is_not_named_twice() -> None:
    alerts = json.loads(_alerts(2))
    alerts[0]["labels"] |= {"alerts": "alerts", "commonLabels": "1"}
    body = json.dumps({"version": "4", "alerts": alerts, "status": "firing"}).encode()
    assert len(decode("alertmanager", body).events) == 2


def test_a_large_group_of_alerts_is_read_alert_by_alert() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "service": "checkout", "padding": "x" * 700},
        "startsAt": "2026-03-10T12:00:00Z",
    }
    alerts: list[Any] = [{**alert, "fingerprint": f"{number:016x}"} for number in range(9000)]
    alerts[5] = 5
    group = {"version": "4", "status": "firing", "receiver": "nearmiss", "alerts": alerts}
    body = json.dumps(group).encode()
    assert MAX_BODY_BYTES < len(body) < MAX_GROUP_BYTES
    found = decode("alertmanager", body)
    assert (len(found.events), found.refused) == (8999, {Rejected.NOT_AN_EVENT: 1})
    assert found.events[0] == decode("alertmanager", json.dumps({**group, "alerts": alerts[:1]}).encode()).events[0]
    assert found.events[0].labels["receiver"] == "nearmiss"
    (cut,) = decode("alertmanager", body[:-2]).refusals
    assert cut.reason == Rejected.NOT_JSON
    (large,) = decode("alertmanager", b" " * MAX_GROUP_BYTES + body).refusals
    assert large.reason == Rejected.TOO_LARGE


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[1,", Rejected.NOT_JSON),
        (b'{\n"id": "x",\n}', Rejected.NOT_JSON),
        (b"[" * 1000, Rejected.TOO_DEEP),
        (b"[" * 1000 + b"]" * 1000, Rejected.TOO_DEEP),
        (b"\xff\xfe", Rejected.NOT_UTF8),
        (b"7" * (MAX_BODY_BYTES + 1), Rejected.TOO_LARGE),
        (b"\0", Rejected.NUL_BYTE),
    ],
)
@pytest.mark.parametrize("source", ["events", "github"])
def test_a_body_that_cannot_be_read_is_refused_whole(source: str, body: bytes, reason: Rejected) -> None:
    found = outcome(source, body)
    assert [one.reason for one in found.refusals] == [reason]
    assert found.unread.strip() == body.strip()


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_nothing_at_all_is_no_event(source: str) -> None:
    assert left_out(source, b" \n") == Ignored.EMPTY


@pytest.mark.parametrize("source", sorted(SOURCES))
@pytest.mark.parametrize("body", [5, "text", None, True, {}, {"a": 1}])
def test_another_shape_is_refused_by_name(source: str, body: Any) -> None:
    expected = (
        Rejected.MISSING_FIELD
        if source in ("events", "canonical") and isinstance(body, dict)
        else Rejected.NOT_AN_EVENT
    )
    assert refused(source, body) == expected


def test_envelopes_may_stand_among_events() -> None:
    cloud = {"specversion": "1.0", "id": "c", "source": "/x", "type": "nearmiss.note.added", "time": ONE["time"]}
    other = cloud | {"type": "com.example.thing"}
    cd = {
        "context": {"id": "d", "source": "/y", "type": "dev.cdevents.service.deployed.0.2.0", "timestamp": ONE["time"]},
        "subject": {"id": "shop"},
    }
    found = outcome("events", [cloud, ONE, other, cd])
    assert [one.kind for one in found.events] == ["note.added", "alert.fired", "change.deployed"]
    assert [(one.index, one.reason) for one in found.skipped] == [(2, Ignored.UNKNOWN_TYPE)]
    assert event("events", ONE | {"context": "a field of one's own"}).labels == {"context": "a field of one's own"}


def test_the_headers_of_a_cloud_event_go_before_the_source() -> None:
    bad = {"ce-specversion": "1.0", "ce-type": "nearmiss.note.added", "ce-id": "%00", "ce-source": "x"}
    assert refused("events", {"time": ONE["time"]}, bad) == Rejected.NUL_BYTE
    headers = {"CE-SpecVersion": "1.0", "CE-Type": "nearmiss.note.added", "CE-Id": "1", "CE-Source": "/x%20y"}
    found = event("events", {"title": "odd", "time": ONE["time"]}, headers)
    assert (found.id, found.source, found.kind, found.title) == ("1", "/x y", "note.added", "odd")


def test_a_tool_s_own_message_in_an_envelope_of_headers_is_read_by_the_tool() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.audit.log.v1.written",
        "ce-id": "1",
        "ce-source": "//x",
    }
    said = {"methodName": "v1.compute.instances.delete", "authenticationInfo": {"principalEmail": "ann@shop.example"}}
    entry = {"insertId": "i", "timestamp": ONE["time"], "protoPayload": said}
    assert event("gcp", entry, headers).kind == "change.deleted"
    assert left_out("cloudevents", entry, headers) == Ignored.UNKNOWN_TYPE
    ours = headers | {"ce-type": "nearmiss.note.added"}
    assert event("github", {"title": "odd", "time": ONE["time"]}, ours).kind == "note.added"


def test_a_form_carries_json_in_its_field_payload() -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert event("github", urlencode({"payload": json.dumps(PUSH)}).encode(), form).kind == "change.merged"
    assert refused("github", b"other=1", form) == Rejected.NOT_AN_EVENT
    assert refused("github", b"\xff", form) == Rejected.NOT_AN_EVENT


def test_a_body_without_a_time_takes_that_of_its_receipt_and_says_so() -> None:
    body = {"routing_key": "r", "event_action": "trigger", "payload": {"summary": "x"}}
    found = event("pagerduty", body)
    assert (found.time, found.marks) == (RECEIVED_AT, (Mark.TIME_FROM_RECEIPT,))
    (refusal,) = decode("pagerduty", json.dumps(body).encode()).refusals
    assert refusal.reason == Rejected.MISSING_FIELD


def test_a_defect_of_a_decoder_keeps_the_body_and_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(piece: Any, _delivery: Any) -> list[Any]:
        if piece == 2:
            raise ZeroDivisionError("oops")
        return []

    github = registry.tool_of("github")
    assert github is not None
    parts = replace(github, split=lambda body, _: list(body), read=read)
    monkeypatch.setitem(TOOLS, "github", parts)
    found = outcome("github", [1, 2, 3])
    assert [(one.index, one.reason) for one in found.refusals] == [(1, Rejected.DECODER_FAILED)]
    assert found.unread == b"[1, 2, 3]"
    assert "ZeroDivisionError" in found.refusals[0].detail
    monkeypatch.setitem(TOOLS, "github", replace(github, split=lambda body, _: [body["x"]], read=read))
    assert refused("github", {}) == Rejected.DECODER_FAILED


@pytest.mark.parametrize("where", ["split", "read"])
def test_a_lack_of_memory_is_no_defect_of_a_decoder(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(*_: Any) -> list[Any]:
        raise MemoryError

    github = registry.tool_of("github")
    assert github is not None
    calls = {"split": lambda body, _: list(body), "read": starved, where: starved}
    monkeypatch.setitem(TOOLS, "github", replace(github, **calls))
    with pytest.raises(MemoryError):
        outcome("github", [1, 2])


SHARED = {f"k{number}": "y" * 200 for number in range(60)}
SMALL = [
    {"status": "firing", "labels": {"alertname": f"a{n}"}, "startsAt": "2026-03-01T12:00:00Z"} for n in range(3000)
]
GROUP = {
    "status": "firing",
    "receiver": "r" * 9000,
    "externalURL": "http://" + "x" * 5000,
    "groupLabels": SHARED,
    "commonLabels": SHARED,
    "commonAnnotations": SHARED,
    "alerts": SMALL,
}
RUNS = [{"trigger": "run:errored", "run_status": "errored", "run_updated_at": "2026-03-01T12:00:00Z"}] * 3000


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("alertmanager", GROUP | {"version": "4"}),
        ("grafana", GROUP | {"title": "t" * 9000, "message": "m" * 9000}),
        ("terraform-cloud", {"workspace_name": "w", "run_id": "r", "run_message": "m" * 9000, "notifications": RUNS}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_pieces_share_cannot_make_much_of_a_small_body(source: str, body: dict[str, object]) -> None:
    sent = json.dumps(body).encode()
    found = decode(source, sent, {}, RECEIVED_AT)
    assert found.events == ()
    assert found.refused == {Rejected.TOO_LARGE: 1}
    few = {name: value[:20] if isinstance(value, list) else value for name, value in body.items()}
    assert len(decode(source, json.dumps(few).encode(), {}, RECEIVED_AT).events) == 20


def test_what_mutes_an_alert_is_read_up_to_a_number() -> None:
    status = {"state": "suppressed", "silencedBy": [f"s{n}" for n in range(5000)], "inhibitedBy": ["a"]}
    alert = {"labels": SHARED, "startsAt": "2026-03-01T12:00:00Z", "fingerprint": "f", "status": status}
    sent = json.dumps([alert]).encode()
    assert len(decode("alertmanager-api", sent, {}, RECEIVED_AT).events) == 102


def test_a_body_may_be_as_large_as_the_limit() -> None:
    assert load(b"[1, 2]", limit=6) == [1, 2]
    with pytest.raises(Unreadable, match="6 bytes; at most 5 are read"):
        load(b"[1, 2]", limit=5)
