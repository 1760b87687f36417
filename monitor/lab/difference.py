"""What two packs make differently of one stream: drafts that appear, that vanish, and that change, each with why.

Matches drafts by identity and by shared evidence; knows nothing of how they came to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from monitor.core.model.events import EventId, to_text
from monitor.core.model.near_miss import State
from monitor.lab.backtest import Backtest, Found


class Difference(msgspec.Struct, frozen=True):
    """One difference. `what` says each thing that changed, `why` the reason where one side has nothing standing."""

    kind: Literal["appears", "vanishes", "changes"]
    before: Found | None
    after: Found | None
    what: tuple[str, ...] = ()
    why: str = ""

    @property
    def found(self) -> Found:
        """The draft to show: as it is now, else as it was."""
        one = self.after or self.before
        assert one is not None
        return one


def differences(before: Backtest, after: Backtest) -> tuple[Difference, ...]:
    """Every difference of what stands, in the order of opening. Both must have seen the same stream to its end.

    For the reasons each must have been told by `want` what the other one opened.
    """
    old, new = before.report().found, after.report().found
    pairs = _pairs([one for one in old if one.stands], [one for one in new if one.stands])
    changes = [Difference("changes", a, b, what) for a, b in pairs if (what := _what(a, b))]
    kept_old, kept_new = {_key(a) for a, _ in pairs}, {_key(b) for _, b in pairs}
    gone = [one for one in old if one.stands and _key(one) not in kept_old]
    fresh = [one for one in new if one.stands and _key(one) not in kept_new]
    changes += [Difference("vanishes", one, None, why=_instead(one, new) or after.why_not(one)) for one in gone]
    changes += [Difference("appears", None, one, why=_instead(one, old) or before.why_not(one)) for one in fresh]
    return tuple(sorted(changes, key=lambda change: (change.found.opened_at, change.found.id, change.kind)))


def _key(found: Found) -> tuple[str, bool]:
    return found.id, found.mode == "shadow"


def _pairs(old: Sequence[Found], new: Sequence[Found]) -> list[tuple[Found, Found]]:
    """The same draft on both sides: of one identity, else with most evidence in common; shadow with shadow first."""
    left, right = {_key(one): one for one in old}, {_key(one): one for one in new}
    pairs = []
    for crossing in (False, True):
        for one in old:
            other = right.get((one.id, (one.mode == "shadow") is not crossing))
            if other is not None and _key(one) in left:
                pairs.append((left.pop(_key(one)), right.pop(_key(other))))
        by_event = _by_event(right.values())
        for one in [one for one in old if _key(one) in left]:
            shared = Counter(key for event in set(one.evidence) for key in by_event.get(event, ()) if key in right)
            fitting = [key for key in shared if (key[1] == (one.mode == "shadow")) is not crossing]
            if fitting:
                best = min(fitting, key=lambda key: (-shared[key], right[key].opened_at, key))
                pairs.append((left.pop(_key(one)), right.pop(best)))
    return pairs


def _by_event(found: Iterable[Found]) -> dict[EventId, list[tuple[str, bool]]]:
    keys: dict[EventId, list[tuple[str, bool]]] = {}
    for one in found:
        for event in set(one.evidence):
            keys.setdefault(event, []).append(_key(one))
    return keys


def _what(before: Found, after: Found) -> tuple[str, ...]:
    opened = (to_text(before.opened_at), to_text(after.opened_at))
    said = [
        ("rule", before.rule, after.rule),
        ("title", before.title, after.title),
        ("verdict", before.verdict, after.verdict),
        ("mode", before.mode, after.mode),
        ("service", before.service, after.service),
        ("opened at", *opened),
    ]
    return tuple(f"{name}: {old} → {new}" for name, old, new in said if old != new)


def _instead(found: Found, others: Sequence[Found]) -> str:
    """What the other side has of the same evidence, where that does not stand or stands for more."""
    events = set(found.evidence)
    for other in sorted(others, key=lambda one: (not one.stands, one.opened_at, one.id)):
        if (other.id == found.id or events & set(other.evidence)) and (other.mode == "shadow") == (
            found.mode == "shadow"
        ):
            if other.state == State.WITHDRAWN:
                return f"opened and withdrawn: {other.reason}"
            if other.state == State.MERGED:
                return f"merged into {other.reason}"
            return f"is part of {other.id}: {other.title}"
    return ""
