"""Names that read like this program's own, in every way in which one can write them, and honest names beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

import pytest

from monitor.core.model.events import Instant
from monitor.core.model.reasons import Rejected
from monitor.decode.lookalikes import reads_like_ours, seen_as
from monitor.decode.registry import decode
from monitor.intake.senders import IntakeAccess
from monitor.kafka.messages import read_message

NOW = Instant(1_772_366_400_000_000)

POSING = (
    "nearmiss",
    "nearmiss/review",
    "NEARMISS/REVIEW",
    "Nearmiss/x",
    "  nearmiss/x",
    "nearmiss /x",
    "near miss/x",
    "nearmiss\t/x",
    "nearmiss\u00a0/x",
    "nearmiss\u3000/x",
    "near\u200bmiss/x",
    "near\u00admiss/x",
    "\u2060nearmiss/x",
    "\ufeffnearmiss/x",
    "\u202enearmiss/x",
    "nearmis\u0301s/x",
    "ne\u0307armiss/x",
    "\u200b" * 200 + "nearmiss/review",
    "./nearmiss/x",
    "//nearmiss/x",
    "../nearmiss/x",
    "\u2024/nearmiss/x",
    "nearmiss\\x",
    "nearmiss\u2215x",
    "nearmiss\u2044x",
    "nearmiss\uff0fx",
    "nearmiss%2fx",
    "nearmiss%252Freview",
    "%6eearmiss/x",
    "%25256eearmiss/x",
    "near%E2%80%8Bmiss/x",
    "n\u0435armiss/x",
    "ne\u0430rmiss/x",
    "nearm\u0456ss/x",
    "nearmi\u0455\u0455/x",
    "\u043f\u0435\u0430\u0433\u043c\u0456\u0455\u0455/x",
    "\u039d\u0395\u0391RMISS/x",
    "nearm\u03b9ss/x",
    "nearm\u0131ss/x",
    "NEARM\u0130SS/x",
    "nearmlss/x",
    "nearm1ss/x",
    "nearm|ss/x",
    "nearrniss/x",
    "n3armi55/x",
    "nearmi\u00df/x",
    "\uff4e\uff45\uff41\uff52\uff4d\uff49\uff53\uff53/x",
    "\U0001d427\U0001d41e\U0001d41a\U0001d42b\U0001d426\U0001d422\U0001d42c\U0001d42c/x",
    "\u24dd\u24d4\u24d0\u24e1\u24dc\u24d8\u24e2\u24e2/x",
    "near\U000e0061miss/x",
    "near\x00miss/x",
)
HONEST = (
    "nearmiss-probe",
    "nearmisses",
    "near",
    "miss/nearmiss",
    "probe/nearmiss/review",
    "team-nearmiss/x",
    "pagerduty/acme",
    "https://nearmiss.example.com/x",
    "urn:nearmiss",
    "/some/uri",
    "",
    "%",
    "%zz",
    "мониторинг",
    "監視/本番",
    "überwachung",
    "100%/x",
)


@pytest.mark.parametrize("name", POSING, ids=ascii)
def test_what_reads_like_our_own_name_is_nobodys_to_claim(name: str) -> None:
    assert reads_like_ours(name)


@pytest.mark.parametrize("name", HONEST, ids=ascii)
def test_an_honest_name_is_left_alone(name: str) -> None:
    assert not reads_like_ours(name)


REASONS = {Rejected.FOREIGN_SOURCE, Rejected.NUL_BYTE, Rejected.BAD_FIELD}


class Written(NamedTuple):
    """A record as the client library gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def body(source: str) -> bytes:
    return json.dumps(
        {"id": "h", "source": source, "time": "2026-03-01T12:00:00Z", "kind": "impact.started", "service": "checkout"}
    ).encode()


def envelope(source: str) -> tuple[bytes, Mapping[str, str]]:
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "nearmiss.impact.started",
        "ce-id": "h",
        "ce-source": quote(source, safe="%/"),
        "content-type": "application/json",
    }
    return b'{"service":"checkout"}', headers


@pytest.mark.parametrize("name", POSING, ids=ascii)
def test_no_door_lets_it_in(name: str) -> None:
    """Refused by name; or, where a text cannot be, as what it is."""
    allows = IntakeAccess().may_carry
    for door, sent, headers in (
        ("events", body(name), {}),
        ("events", b"[" + body(name) + b"]", {}),
        ("cloudevents", *envelope(name)),
    ):
        outcome = decode(door, sent, headers, NOW, partial(allows, door))
        assert outcome.events == (), (door, name)
        assert outcome.refused.keys() <= {Rejected.FOREIGN_SOURCE, Rejected.NUL_BYTE, Rejected.BAD_FIELD}, (
            door,
            outcome.refused,
        )
    record = Written("ops", 3, 17, 0, body(name), ())
    read = read_message(record, "events", NOW, 60_000_000)
    assert (read.events, len(read.rejects)) == ((), 1)


def test_however_long_a_name_is_it_is_read_in_one_go() -> None:
    assert len(seen_as("%25" * 1_000_000)) < 10_000
    assert not reads_like_ours("%" * 1_000_000)
