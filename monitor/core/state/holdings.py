"""Everything that the engine remembers, by kind, as entries that can be counted and evicted one by one.

An entry's order says what goes first; it is unique and follows from what the entry says, never from when it was read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from monitor.core.model.reasons import StateKind
from monitor.core.state.costs import ENTRY, event_bytes, text_bytes
from monitor.core.state.engine_state import EngineState
from monitor.core.state.feeds import FeedKey
from monitor.core.state.sizes import (
    DOMAIN,
    FEED,
    RATE,
    SIGN,
    SLOT,
    candidate_bytes,
    caught_bytes,
    episode_bytes,
    past_draft_bytes,
    place_bytes,
)
from monitor.core.weighing.habits import PAIR_HALF_LIFE


class Evictable(NamedTuple):
    """`order`: the least goes first. `size` in bytes. `what` finds it again."""

    service: str
    order: tuple[Any, ...]
    size: int
    what: Any


class Holding(NamedTuple):
    """`sizes`: bytes by service, cheaply; `entries`: one by one, both as of a moment; `drop`: evict some of them."""

    sizes: Callable[[EngineState, int], Iterator[tuple[str, int]]]
    entries: Callable[[EngineState, int], Iterator[Evictable]]
    drop: Callable[[EngineState, list[Evictable]], None]


def _sized(
    entries: Callable[[EngineState, int], Iterator[Evictable]],
) -> Callable[[EngineState, int], Iterator[tuple[str, int]]]:
    def sizes(state: EngineState, now: int) -> Iterator[tuple[str, int]]:
        for service, _, size, _ in entries(state, now):
            yield service, size

    return sizes


# -- what the weighing remembers of a service ----------------------------------------------------------------------


def _place_sizes(state: EngineState, now: int) -> Iterator[tuple[str, int]]:
    for service, place in state.observed.places.items():
        yield service, place_bytes(place)


def _places(state: EngineState, now: int) -> Iterator[Evictable]:
    for service, place in state.observed.places.items():
        for sign in place.signs:
            at = sign.seen_at if sign.ended is None else sign.ended
            size = SIGN + sum(map(event_bytes, sign.events)) + text_bytes(sign.key) + text_bytes(sign.name)
            yield Evictable(service, (at, service, "sign", sign.kind, sign.key, sign.began), size, sign)
        for event in (*place.changes, *place.responses):
            yield Evictable(service, (event.time, service, event.source, event.id), event_bytes(event), event)


def _drop_places(state: EngineState, chosen: list[Evictable]) -> None:
    observed, gone = state.observed, {id(entry.what) for entry in chosen}
    for service in {entry.service for entry in chosen}:
        place = observed.places[service]
        place.signs = [sign for sign in place.signs if id(sign) not in gone]
        place.changes = [event for event in place.changes if id(event) not in gone]
        place.responses = [event for event in place.responses if id(event) not in gone]
        if not (place.signs or place.changes or place.responses):
            # Its base rates and the recoveries that came first are of no use without a sign.
            del observed.places[service]
        observed.dirty.add(f"place:{service}")


# -- habits, by domain ---------------------------------------------------------------------------------------------


def _habits(state: EngineState, now: int) -> Iterator[Evictable]:
    """What was counted least goes first; what is left of a domain when all of it went, with its last."""
    for domain, habits in state.observed.habits.items():
        for here in habits.paired_on:
            yield Evictable(domain, (0.0, domain, "paired", here), ENTRY + text_bytes(here), None)
        for key, rate in habits.pairs.items():
            worth = rate.value(now, PAIR_HALF_LIFE)
            yield Evictable(domain, (worth, domain, "pair", key), ENTRY + RATE + 2 * text_bytes(key), None)
        for name, known in habits.standings.items():
            worth = known.alone + known.acted_on
            yield Evictable(domain, (worth, domain, "standing", name), ENTRY + RATE + 2 * text_bytes(name), None)
        yield Evictable(domain, (0.0, domain, "began", ""), DOMAIN + 2 * text_bytes(domain), None)


def _drop_habits(state: EngineState, chosen: list[Evictable]) -> None:
    observed = state.observed
    for entry in chosen:
        _, domain, what, key = entry.order
        habits = observed.habits[domain]
        if what == "paired":
            del habits.paired_on[key]
        elif what == "pair":
            del habits.pairs[key]
            observed.pair_changed(domain, key)
        elif what == "standing":
            del habits.standings[key]
            observed.standing_changed(domain, key)
        observed.habits_changed(domain)
    for domain in {entry.service for entry in chosen}:
        if observed.habits[domain].is_blank:
            del observed.habits[domain]


# -- last values ---------------------------------------------------------------------------------------------------


def _last_values(state: EngineState, now: int) -> Iterator[Evictable]:
    for name, table in state.last_values.tables.items():
        for key, entries in table.items():
            said = sum(160 + (text_bytes(value) if isinstance(value, str) else 0) for _, value in entries)
            service = key.partition("|")[0]
            yield Evictable(service, (entries[-1][0], name, key), ENTRY + 100 + 2 * text_bytes(key) + said, name)


def _drop_last_values(state: EngineState, chosen: list[Evictable]) -> None:
    for entry in chosen:
        _, name, key = entry.order
        state.forget_last_value(name, key)


# -- feeds: what they reported by now; what is to come may have been read already, or not ---------------------------


def _feeds(state: EngineState, now: int) -> Iterator[Evictable]:
    for key in state.feeds:
        reports = state.feeds.reports(key)
        begun = {slot: times for slot, times in reports.slots.items() if times[0] < now}
        newest = max(begun, default=None)
        for slot, times in begun.items():
            size = SLOT + 8 * bisect_left(times, now) + (FEED if slot == newest else 0)
            yield Evictable(key.service, (times[0], *_named(key)), size, (key, slot))
        ended = [span for span in reports.spans if span[1] < now]
        if ended:
            yield Evictable(key.service, (ended[0][0], *_named(key)), 150 * len(ended), (key, None))


def _named(key: FeedKey) -> tuple[str, str, str]:
    return (key.service, key.source, key.evidence or "")


def _drop_feeds(state: EngineState, chosen: list[Evictable]) -> None:
    for entry in chosen:
        key, slot = entry.what
        state.feeds.evict(key, slot, state.now)


# -- drafts and candidates -----------------------------------------------------------------------------------------


def _past_drafts(state: EngineState, now: int) -> Iterator[Evictable]:
    for draft_id, draft in state.past_drafts.items():
        service = draft.services[0] if draft.services else ""
        yield Evictable(
            service, (draft.window_to, "past", draft_id), past_draft_bytes(draft) + text_bytes(draft_id), "past"
        )
    for key, entries in state.recurrences.items():
        size = ENTRY + 2 * text_bytes(key) + sum(200 + text_bytes(draft_id) for _, draft_id in entries)
        service = key.partition("\x1f")[0] if "\x1f" in key else key.rpartition("|")[2]
        yield Evictable(service, (entries[-1][0], "recurrence", key), size, "recurrence")


def _drop_past_drafts(state: EngineState, chosen: list[Evictable]) -> None:
    for entry in chosen:
        if entry.what == "past":
            state.forget_draft(entry.order[2])
        else:
            state.forget_recurrence(entry.order[2])


def _closed(state: EngineState, now: int) -> Iterator[Evictable]:
    for episode in state.episodes.values():
        if episode.closed:
            order = (episode.window_to, episode.id)
            yield Evictable(episode.services[0], order, episode_bytes(episode), episode)


def _drop_closed(state: EngineState, chosen: list[Evictable]) -> None:
    """Impact in its window still withdraws the draft, as after its end; impact that is only tied to it does not."""
    for entry in chosen:
        state.keep_draft(entry.what)
        state.remove_episode(entry.what)


def _open(state: EngineState, now: int) -> Iterator[Evictable]:
    caught = state.observed.caught
    for episode in state.episodes.values():
        if not episode.closed:
            size = episode_bytes(episode)
            for name in episode.candidates:
                size += candidate_bytes(state.candidates[name])
                size += caught_bytes(caught[name]) if name in caught else 0
            yield Evictable(episode.services[0], (episode.first_sign_at, episode.id), size, episode)
    for name, candidate in caught.items():
        if name not in state.candidates:
            service = candidate.act.service or ""
            yield Evictable(service, (candidate.act.time, name), caught_bytes(candidate), name)


def _drop_open(state: EngineState, chosen: list[Evictable]) -> None:
    observed = state.observed
    for entry in chosen:
        names = [entry.what]
        if not isinstance(entry.what, str):
            names = list(entry.what.candidates)
            state.keep_draft(entry.what)
            state.drop_episode(entry.what)
        for name in names:
            if observed.caught.pop(name, None) is not None:
                observed.dirty.add(f"caught:{name}")


HOLDINGS: dict[StateKind, Holding] = {
    StateKind.PLACES: Holding(_place_sizes, _places, _drop_places),
    StateKind.HABITS: Holding(_sized(_habits), _habits, _drop_habits),
    StateKind.LAST_VALUES: Holding(_sized(_last_values), _last_values, _drop_last_values),
    StateKind.FEEDS: Holding(_sized(_feeds), _feeds, _drop_feeds),
    StateKind.PAST_DRAFTS: Holding(_sized(_past_drafts), _past_drafts, _drop_past_drafts),
    StateKind.CLOSED_EPISODES: Holding(_sized(_closed), _closed, _drop_closed),
    StateKind.CANDIDATES: Holding(_sized(_open), _open, _drop_open),
}
"""All but remembered events, which are in chunks on disk and evicted by a cut."""


def least(entries: Iterable[Evictable], over: int) -> list[Evictable]:
    """The first by their order that together are so many bytes or more."""
    chosen, size = [], 0
    for entry in sorted(entries, key=lambda entry: entry.order):
        if size >= over:
            break
        chosen.append(entry)
        size += entry.size
    return chosen
