"""Why one draft opened and stands, or was taken back: its candidates, its evidence, its coverage, its doubts.

Runs the very engine that decides; adds no judgement of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.matching.explain import Why
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import Event, to_text
from monitor.core.model.near_miss import Cited, Draft, FeedReport, State
from monitor.core.model.rule import Rule
from monitor.core.resolving.resolver import Resolver
from monitor.core.weighing.weights import Weights
from monitor.decode.streams import arrival_order
from monitor.lab.explain import decided
from monitor.lab.ledger import DraftEntry, Ledger
from monitor.lab.playing import HAZARD, INTERVENTION, Playing
from monitor.lab.relations import explain_pair, name_of, resolved
from monitor.lab.shadow import as_live, has_shadow

_GONE = frozenset({State.WITHDRAWN, State.MERGED, State.DISMISSED})


class NoSuchDraft(LookupError):
    """The stream gives no draft of this id."""


def explain_draft(
    events: Iterable[Event],
    rules: Sequence[Rule],
    catalogue: Catalogue,
    draft_id: str,
    make_regex: MakeRegex,
    kept: DraftEntry | None = None,
    weights: Weights | None = None,
) -> Why:
    """The tree of a draft, also of one that was withdrawn or merged: why it matched, condition by condition.

    Where no draft of this id is shown, those of rules in shadow mode count too. `kept` is the draft as a store has it,
    with the state that people gave it; where these rules and events do not give it any more, what is kept is shown,
    and why not. Raises NoSuchDraft where there is neither.
    """
    ordered = Resolver(catalogue).all(arrival_order(list(events)))
    engine, decisions, entries = _run(rules, catalogue, make_regex, ordered, weights)
    if draft_id not in entries and kept is None and has_shadow(rules):
        # Not shown to anybody, but a backtest names it.
        engine, decisions, entries = _run(as_live(rules), catalogue, make_regex, ordered, weights)
    entry = kept or entries.get(draft_id)
    if entry is None:
        known = ", ".join(sorted(entries)) or "none"
        raise NoSuchDraft(f"no draft {draft_id!r} comes of this stream; there are: {known}")
    draft = entry.draft
    asked = [cited.event for cited in draft.evidence if cited.role in (HAZARD, INTERVENTION)]
    playing = Playing(ordered, rules, catalogue, make_regex, asked, engine.state.last_values.drafts)
    parts = (
        _matched(draft, {rule.name: rule for rule in rules}, playing),
        *_no_longer(draft, draft_id in entries, decisions),
        *_others(draft, decisions),
        _evidence(draft),
        _window(draft),
        _coverage(draft),
        _doubts(draft),
        *_end(entry),
    )
    found = f"{entry.state}; {draft.service or 'no service'}; verdict {draft.verdict}"
    return Why(f"{draft.id}: {draft.title}", entry.state not in _GONE and draft.mode != "shadow", found, parts)


def _run(
    rules: Sequence[Rule],
    catalogue: Catalogue,
    make_regex: MakeRegex,
    ordered: Sequence[Event],
    weights: Weights | None,
) -> tuple[Engine, list[Decision], dict[str, DraftEntry]]:
    engine, decisions, _ = decided(rules, catalogue, make_regex, ordered, EngineSettings(weights=weights))
    ledger = Ledger()
    ledger.record(decisions)
    return engine, decisions, {entry.draft.id: entry for entry in ledger.entries()}


def _matched(draft: Draft, rules: dict[str, Rule], playing: Playing) -> Why:
    """Each rule with its story, and why its hazard and its action are what it asks for."""
    parts = []
    for name in draft.rules:
        said = [
            sentence.removeprefix(f"{name}: ") for sentence in draft.explanation if sentence.startswith(f"{name}: ")
        ]
        rule = rules.get(name)
        pair = None if rule is None else _pair(draft, rule, playing)
        shown = tuple(Why(sentence, True) for sentence in said)
        if rule is not None and pair is not None:
            hazard, action = pair
            shown += (
                Why(f"hazard {name_of(hazard)}", True, parts=playing.steps(hazard, rule)[0].parts),
                Why(f"intervention {name_of(action)}", True, parts=playing.steps(action, rule)[1].parts),
                *explain_pair(rule, hazard, action, playing),
            )
        parts.append(Why(f"rule {name}", True, "" if rule is not None else "is not among these rules", shown))
    return Why("matched", True, ", ".join(draft.rules), tuple(parts))


def _pair(draft: Draft, rule: Rule, playing: Playing) -> tuple[Event, Event] | None:
    """The cited hazard and action of a rule that fit best, the earliest of them."""
    cited = {one.event.event_id for one in draft.evidence if one.role in (HAZARD, INTERVENTION)}
    hazards = [event for event in playing.playing(rule, HAZARD) if event.event_id in cited]
    actions = [event for event in playing.playing(rule, INTERVENTION) if event.event_id in cited]
    pairs = [(hazard, action) for hazard in hazards for action in actions if action.time >= hazard.time]

    def failing(pair: tuple[Event, Event]) -> tuple[int, int, int]:
        unmet = sum(not why.held for why in explain_pair(rule, *pair, playing))
        return unmet, pair[0].time, pair[1].time

    return min(pairs, key=failing, default=None)


def _no_longer(draft: Draft, opens: bool, decisions: Sequence[Decision]) -> tuple[Why, ...]:
    if opens:
        return ()
    parts = tuple(_ignored(one) for one in _ignores(draft, decisions) if set(one.rules) & set(draft.rules))
    said = "" if parts else "no rule matches its events as a hazard, or they are missing here"
    return (Why("opens again with these rules and events", False, said, parts),)


def _others(draft: Draft, decisions: Sequence[Decision]) -> tuple[Why, ...]:
    """What the engine said of these events under rules that did not match."""
    parts = tuple(_ignored(one) for one in _ignores(draft, decisions) if not set(one.rules) & set(draft.rules))
    return (Why("other rules that matched its events", False, parts=parts),) if parts else ()


def _ignores(draft: Draft, decisions: Sequence[Decision]) -> list[Ignore]:
    cited = {one.event.event_id for one in draft.evidence if one.role in (HAZARD, INTERVENTION)}
    return [one for one in decisions if isinstance(one, Ignore) and one.rules and not cited.isdisjoint(one.evidence)]


def _ignored(ignored: Ignore) -> Why:
    about = ", ".join(reference.id for reference in ignored.evidence)
    said = f"{ignored.reason}: {ignored.detail}" if ignored.detail else str(ignored.reason)
    return Why(f"{', '.join(ignored.rules)} ({about})", False, said)


def _evidence(draft: Draft) -> Why:
    parts = tuple(
        Why(role, True, parts=tuple(map(_cited, group)))
        for role, group in groupby(draft.evidence, key=lambda cited: cited.role)
    )
    return Why("evidence", bool(draft.evidence), parts=parts)


def _cited(cited: Cited) -> Why:
    event = cited.event
    return Why(f"{to_text(event.time)} {name_of(event)}", True, event.title or "", resolved(event))


def _window(draft: Draft) -> Why:
    moments = (("first sign", draft.first_sign_at), ("acted", draft.intervened_at), ("safe", draft.safe_at))
    parts = tuple(Why(f"{name} at {to_text(at)}", True) for name, at in moments)
    return Why(f"looked at {to_text(draft.window_from)} to {to_text(draft.window_to)}", True, parts=parts)


def _coverage(draft: Draft) -> Why:
    parts = (*map(_feed, draft.coverage), *(Why(f"{name} has no feed", False) for name in draft.unfed_services))
    return Why("no impact, as far as feeds could see", draft.verdict == "none", draft.verdict, parts)


def _feed(report: FeedReport) -> Why:
    said = f"{report.source} on {report.service}: {report.reports} reports"
    return Why(said, report.clear, report.detail)


def _doubts(draft: Draft) -> Why:
    parts = tuple(Why(missing, False) for missing in draft.missing_evidence)
    return Why(f"confidence {draft.confidence:.2f}", not parts, "" if parts else "nothing is missing", parts)


def _end(entry: DraftEntry) -> tuple[Why, ...]:
    if entry.merged_into is not None:
        return (Why(f"merged into {entry.merged_into}", False),)
    if entry.reason is None:
        return ()
    return (
        Why(
            "withdrawn" + (f" at {to_text(entry.taken_back_at)}" if entry.taken_back_at is not None else ""),
            False,
            str(entry.reason),
            tuple(map(_cited, entry.impact)),
        ),
    )
