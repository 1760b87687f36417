"""What people write that they did, where no tool reported it: the note is the only trace of an act.

English only. A plan, a question, a wish and a denial tell no act.
"""

from __future__ import annotations

import hashlib
import re

from msgspec.structs import replace

from monitor.core.model.events import Event, Kind
from monitor.core.model.words import own_words

_SAID: dict[Kind, str] = {
    "change.restarted": "restarted|rebooted|bounced|recycled",
    "change.rolled_back": "rolled back|reverted",
    "change.failed_over": "failed over",
    "change.restored": "restored",
    "change.rotated": "renewed|rotated",
    "change.scaled": "scaled|resized|grew|extended|expanded",
    "change.configured": "disabled|switched|turned off|paused|raised|bumped|lowered",
    "change.ran": (
        "purged|dropped|cleared|truncated|pruned|vacuumed|drained|killed|moved|flushed|requeued|replayed|reran|re-ran|"
        "rescheduled|unblocked|unstuck|cleaned|freed|stopped|cancelled|aborted|removed|deleted"
    ),
}
"""How people call what they did, by the kind of change that it is."""
_KINDS = {verb: kind for kind, verbs in _SAID.items() for verb in verbs.split("|")}
_OF_MANY_THINGS = (
    "stopped|cancelled|aborted|extended|expanded|moved|dropped|cleared|killed|cleaned|freed|raised|bumped|lowered|"
    "paused|switched|grew|renewed|removed|deleted"
)
"""Verbs that people use of meetings and prices as well: they have to name what was acted on."""
_SOMETHING = (
    r"(?= (?:the|it|its|them|this|that|these|those|all|both|some|old|our|one|two|\d\w*|"
    r"(?:[\w-]+ )?(?:snapshots?|logs?|files?|images?|dumps?|jobs?|locks?|slots?))\b)"
)
_DID = re.compile(
    r"(?:^|[.;:,!(] ?|\b(?:and|then|just|i|we|have|'ve|now) )"
    rf"((?!(?:{_OF_MANY_THINGS})\b)(?:{'|'.join(_SAID.values())})\b|(?:{_OF_MANY_THINGS})\b{_SOMETHING})",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"\b(?:will|would|should|could|can|may|might|if|when|until|not|never|nobody|plan(?:ned|s)?|going to|about to|to be|"
    r"autom\w+|itself|last (?:week|month|night|year)|yesterday|branch|locally|my (?:side|own|laptop|machine|box|fork)|"
    r"dev|staging|stage|sandbox|preview|test(?:s|ing)?|qa|uat|draft)\b|n't\b",
    re.IGNORECASE,
)
"""What makes of the clause something else: a plan, a denial, what did it by itself, a thing of another day or place."""
NOTE = "note"
"""The label of an act from a note that names the note."""
_END = re.compile(r"[.;!]")
MOST_SAID = 300
"""Characters of a note that are looked at: who did something says so first."""


def act_told(note: Event) -> Kind | None:
    """What kind of change a person's note says that they made; None where it says none."""
    if note.kind != "note.added" or note.service is None:
        return None
    if note.actor is None or note.actor.kind == "automation":
        return None
    text = own_words(note)[:MOST_SAID]
    found = _DID.search(text)
    if found is None or "?" in text:
        return None
    clause = _END.split(text[found.start(1) :], maxsplit=1)[0]
    return None if _NOT_DONE.search(clause) else _KINDS[found[1].lower()]


def act_of(note: Event, kind: Kind) -> Event:
    """The change that a note tells, with an identity made of the note's."""
    identity = f"act/{note.id}"
    if len(identity) > 255:
        identity = f"act/{hashlib.sha256(note.id.encode()).hexdigest()}"
    said = {**note.resolved_from, "kind": "a note says that it was done"}
    return replace(
        note, id=identity, kind=kind, severity=None, labels={**note.labels, NOTE: note.id[:255]}, resolved_from=said
    )


def is_told(act: Event) -> bool:
    """Whether an act is known from a note alone."""
    return NOTE in act.labels and "kind" in act.resolved_from


def is_told_by(act: Event, note: Event) -> bool:
    """Whether an act is known from this very note, which therefore is no sign that the act answered."""
    return is_told(act) and act.labels[NOTE] == note.id[:255] and act.source == note.source
