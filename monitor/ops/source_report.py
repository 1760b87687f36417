"""PURE: whether it is working: each source as it stands, services that nobody watches, rules that cannot match."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY, HOUR, SECOND, Instant
from monitor.core.model.rule import Rule
from monitor.core.resolving.names import Names
from monitor.ops.arrivals import UP, SourceHour, SourceWord
from monitor.ops.usual import WINDOW, SourceState, states

NOT_UNDERSTOOD = frozenset({"unknown_type"})
"""Omissions that may be a gap of ours; the others are by intention."""
WEEK = 7 * DAY
_SPANS = {WEEK: "a week", WINDOW: "two weeks"}
_BORDERS = 2 * HOUR
"""Of a span that is counted in whole hours the first and the last one may be missing."""


class RejectCount(msgspec.Struct, frozen=True):
    """What a source sent that gave no event, in seven days."""

    reason: str
    count: int
    detail: str
    is_understood: bool


class SourceRow(msgspec.Struct, frozen=True):
    """One source. `kinds`: of its events in seven days, the most frequent first."""

    state: SourceState
    kinds: tuple[tuple[str, int], ...]
    reasons: tuple[RejectCount, ...]


class Watched(msgspec.Struct, frozen=True):
    """One user-facing service: the sources that told about impact on it since yesterday; without any, why not."""

    service: str
    sources: tuple[str, ...]
    why: str = ""


class SourceReport(msgspec.Struct, frozen=True):
    """`silent_rules`: rules of which no kind of hazard, or no kind of intervention, has arrived in seven days.

    `known`: for how long the service has counted at least what arrives (microseconds), at most two weeks.
    """

    at: Instant
    sources: tuple[SourceRow, ...]
    services: tuple[Watched, ...]
    silent_rules: tuple[str, ...]
    rules: int
    known: int

    def ever(self, span: int = WINDOW) -> str:
        """Of what never came in `span`: "in two weeks", "in 3 h"; "yet" while the service is new."""
        return _ever(self.known, span)


def _ever(known: int, span: int) -> str:
    if known < HOUR:
        return "yet"
    return f"in {_SPANS[span] if known + _BORDERS >= span else say_duration(known)}"


def lag_words(lag: int) -> str:
    """The least lag of receipt behind event time (microseconds), in words; negative: the sender's clock is ahead."""
    if lag < 0:
        return f"its clock is {say_duration(lag)} ahead"
    return f"events arrive at least {say_duration(lag)} late" if lag >= SECOND else "events arrive at once"


def source_report(
    hours: Iterable[SourceHour],
    words: Sequence[SourceWord],
    catalogue: Catalogue,
    rules: Sequence[Rule],
    now: Instant,
    expected: Iterable[str] = (),
) -> SourceReport:
    """`hours` of two weeks and `words` of one, both as the book has them; `expected`: sources that are configured."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, dict[tuple[str, str], RejectCount]] = defaultdict(dict)
    for word in words:
        if word.what == "kind":
            kinds[word.source][word.word] += word.count
        elif word.what != "watched":
            key = (word.what, word.word)
            before = reasons[word.source].get(key)
            reasons[word.source][key] = RejectCount(
                word.word,
                word.count + (before.count if before else 0),
                word.detail or (before.detail if before else ""),
                word.what == "ignored" and word.word not in NOT_UNDERSTOOD,
            )
    hours = list(hours)
    found = states(hours, now)
    known = {state.source for state in found}
    missing = {*reasons, *(each for each in expected if not _arrived(each, known))} - known
    found += [SourceState(source, None, None, 0, None, None, None, None) for source in missing]
    rows = tuple(
        SourceRow(
            state,
            tuple(kinds[state.source].most_common()),
            tuple(sorted(reasons[state.source].values(), key=lambda each: (each.is_understood, -each.count))),
        )
        for state in sorted(found, key=lambda state: state.source)
    )
    arrived = {kind for found in kinds.values() for kind in found}
    mute = tuple(sorted(rule.name for rule in rules if not _can_match(rule, arrived))) if arrived else ()
    counted = _counted(hours, now)
    return SourceReport(now, rows, tuple(_watched(words, catalogue, now, counted)), mute, len(rules), counted)


def _counted(hours: Iterable[SourceHour], now: Instant) -> int:
    """Since the end of the first hour in which the service was up: nobody knows when in it that was."""
    began = min((each.hour for each in hours if each.source == UP), default=now // HOUR)
    return min(WINDOW, max(0, now - (began + 1) * HOUR))


def _arrived(name: str, known: Collection[str]) -> bool:
    """True if this source, or one of its accounts, delivers."""
    return any(each == name or each.startswith(f"{name}/") for each in known)


def _watched(words: Sequence[SourceWord], catalogue: Catalogue, now: Instant, counted: int) -> Iterable[Watched]:
    names = Names(catalogue)
    recent: dict[str, set[str]] = defaultdict(set)
    last: dict[str, int] = {}
    for word in words:
        if word.what == "watched":
            service = names.joined(word.word)
            last[service] = max(word.day, last.get(service, 0))
            if word.day >= now // DAY - 1:
                recent[service].add(word.source)
    for service in sorted(catalogue.services):
        if not catalogue.is_user_facing(service):
            continue
        declared = sorted({feed.source for feed in catalogue.feeds if feed.service == service and feed.source})
        if service in recent:
            yield Watched(service, tuple(sorted(recent[service])))
        elif service in last:
            yield Watched(service, (), f"its feeds said nothing for {now // DAY - last[service]} days")
        elif declared:
            silence = f"which sent nothing {_ever(counted, WEEK)}"
            yield Watched(service, (), f"the catalogue names {', '.join(declared)}, {silence}")
        else:
            yield Watched(service, (), "no feed reports on its users")


def _can_match(rule: Rule, arrived: set[str]) -> bool:
    return bool(rule.hazard.kinds & arrived) and bool(rule.intervention.step.kinds & arrived)
