"""What two events have in common: one thing that both name, or one story that both belong to."""

from __future__ import annotations

from monitor.core.model.events import HOUR, Event
from monitor.core.weighing.plain_words import shared_words, versions_in

SHARED = (
    "image",
    "version",
    "commit",
    "node",
    "config_hash",
    "fingerprint",
    "digest",
    "flag",
    "certificate",
    "revision",
    "host",
)
"""Labels that name a thing which a sign and an act may share."""
TOGETHER = 2 * HOUR
"""Two signs that began so close to each other are one story."""


def same_thing(sign: Event, act: Event) -> bool:
    """Whether both name one thing: the subject, an image, a version, a node, or what one of them contains."""
    if sign.subject is not None and sign.subject == act.subject:
        return True
    named = {sign.labels.get(label) for label in SHARED} - {None}
    acted = {act.labels.get(label) for label in SHARED}
    acted |= {act.subject, *(act.labels.get(label) for label in ("previous", "from_version", "contains"))}
    contains = sign.labels.get("contains")
    if versions_in(sign.title or "") & versions_in(act.title or ""):
        return True
    return bool(named & acted) or (contains is not None and contains in (act.subject, act.labels.get("reverts")))


def is_one_story(other: Event, sign: Event, act: Event) -> bool:
    """Whether a danger that stood beside a sign belongs to its story: it began with either, or shares their words."""
    if abs(other.time - sign.time) <= TOGETHER or 0 <= act.time - other.time <= TOGETHER:
        return True
    return bool(shared_words(other, sign) or shared_words(other, act))
