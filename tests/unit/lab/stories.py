"""A small shop and a story in it: an alert after a deployment, the version taken back in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.model.rule import Rule
from monitor.decode.catalogues import catalogue_from_mapping
from monitor.decode.streams import expand
from tests.support.shipped import read_shipped

SHOP: dict[str, object] = {
    "user_facing": ["checkout"],
    "production": ["production"],
    "depends_on": {"checkout": ["payments"]},
}
_PAYMENTS = {"source": "tools", "service": "payments", "environment": "production"}
STORY: list[Mapping[str, object]] = [
    {
        "id": "probe",
        "source": "blackbox",
        "time": "2026-03-10T11:00:00Z",
        "kind": "impact.clear",
        "service": "checkout",
        "environment": "production",
        "every": "10m",
        "until": "2026-03-10T18:00:00Z",
    },
    {**_PAYMENTS, "id": "old", "time": "2026-03-07T12:00:00Z", "kind": "change.deployed", "labels": {"version": "41"}},
    {**_PAYMENTS, "id": "new", "time": "2026-03-10T11:55:00Z", "kind": "change.deployed", "labels": {"version": "42"}},
    {
        **_PAYMENTS,
        "id": "slow",
        "time": "2026-03-10T12:00:00Z",
        "kind": "alert.fired",
        "subject": "latency",
        "severity": "high",
        "title": "payments is slow",
    },
    {
        **_PAYMENTS,
        "id": "back",
        "time": "2026-03-10T12:12:00Z",
        "kind": "change.rolled_back",
        "actor": {"id": "dev-1", "kind": "human"},
        "labels": {"version": "41"},
    },
    {**_PAYMENTS, "id": "fine", "time": "2026-03-10T12:15:00Z", "kind": "alert.resolved", "subject": "latency"},
]
TICKET: Mapping[str, object] = {
    "id": "ticket",
    "source": "desk",
    "time": "2026-03-10T12:05:00Z",
    "kind": "impact.started",
    "service": "checkout",
    "environment": "production",
    "labels": {"evidence": "ticket"},
}


def story(*more: Mapping[str, object]) -> list[Event]:
    return list(expand([*STORY, *more]).events)


def shop() -> Catalogue:
    return catalogue_from_mapping(SHOP)


def shipped() -> Sequence[Rule]:
    return read_shipped()
