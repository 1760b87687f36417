"""Small stories by a seed, far denser in candidates and drafts than streams drawn event by event."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from monitor.core.model.events import MINUTE, Event
from tests.support.streams import MACHINE, PERSON, START, clear_feed, make_event


def small_stories(seed: int) -> list[Event]:
    """Days of small stories in the order of arrival: signs, what people do about them, recoveries, impact, noise.

    Some of it comes late, up to a day and a half.
    """
    random = Random(seed)
    found: list[tuple[float, Event]] = []
    gap = random.choice((40, 300, 1500, 6000))
    for number in range(random.randint(1, 25)):
        for at, kind, fields in _told(random, number * gap + random.randint(0, gap)):
            delay = random.choice((5, 90, 2200)) if random.random() < 0.05 else 0
            found.append((at + delay, make_event(kind, at, f"e{len(found)}", **fields)))
    feed = clear_feed("shop", -30, max(at for at, _ in found) + 600, max(30, gap / 3))
    found += [((event.time - START) / MINUTE, event) for event in feed]
    return [event for _, event in sorted(found, key=lambda pair: (pair[0], pair[1].id))]


def _told(random: Random, start: float) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """One story: minutes, kind and fields of each event."""
    here = {"service": random.choice(("db", "db", "api", "shop", "mail")), "subject": random.choice(("s1", "s2"))}
    actor = random.choice((PERSON, PERSON, PERSON, MACHINE))
    severity = random.choice(("high", "critical", "warning"))
    sign = random.choice(("alert.fired", "alert.fired", "alert.silenced", "change.flag_set", "note.added"))
    yield start, sign, {**here, "severity": severity, "actor": PERSON, "labels": {"value": "on"}}
    if random.random() < 0.4:
        yield start + 3, "alert.acknowledged", {**here, "actor": PERSON}
    for _ in range(random.choice((0, 1, 1, 2))):
        kind = random.choice(("change.rolled_back", "change.configured", "change.flag_set", "change.deployed"))
        labels = {"value": "off", "version": random.choice("12"), "revision": random.choice("12")}
        there = {"service": random.choice((here["service"], here["service"], "db", "api"))}
        yield start + random.choice((10, 25, 100, 1000)), kind, {**here, **there, "actor": actor, "labels": labels}
    if random.random() < 0.7:
        yield start + random.choice((15, 40, 120)), "alert.resolved", here
    if random.random() < 0.15:
        yield start + random.choice((20, 200, 3000)), "impact.started", {**here, "service": "shop"}
        yield start + 3010, "impact.ended", {**here, "service": "shop"}
    if random.random() < 0.3:
        yield start + 30, "alert.fired", {**here, "severity": "warning", "source": "noise"}
