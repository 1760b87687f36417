"""Why one draft opened and stands, or was taken back: its candidates, its evidence, its coverage, its doubts.

Runs the very engine that decides; adds no judgement of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from monitor.core.catalogue import Catalogue
from monitor.core.conditions import MakeRegex
from monitor.core.engine import Engine
from monitor.core.events import Event, to_text
from monitor.core.explain import Why
from monitor.core.near_miss import Cited, Draft, FeedReport
from monitor.core.rule import Rule
from monitor.decode.streams import arrival_order
from monitor.lab.ledger import Entry, Ledger


class NoSuchDraft(LookupError):
    """The stream gives no draft of this id."""


def explain_draft(
    events: Iterable[Event], rules: Sequence[Rule], catalogue: Catalogue, draft_id: str, make_regex: MakeRegex
) -> Why:
    """The tree of a draft, also of one that was withdrawn or merged. Raises NoSuchDraft."""
    engine, ledger = Engine(rules, catalogue, make_regex), Ledger()
    ledger.record([*engine.step(arrival_order(list(events))), *engine.end()])
    entries = {entry.draft.id: entry for entry in ledger.entries()}
    if draft_id not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise NoSuchDraft(f"no draft {draft_id!r} comes of this stream; there are: {known}")
    entry = entries[draft_id]
    draft = entry.draft
    matched = Why("matched", True, ", ".join(draft.rules), tuple(Why(said, True) for said in draft.explanation))
    found = f"{entry.state}; {draft.service or 'no service'}; verdict {draft.verdict}"
    parts = (matched, _evidence(draft), _window(draft), _coverage(draft), _doubts(draft), *_end(entry))
    return Why(f"{draft.id}: {draft.title}", entry.stands, found, parts)


def _evidence(draft: Draft) -> Why:
    parts = tuple(
        Why(role, True, parts=tuple(map(_cited, group)))
        for role, group in groupby(draft.evidence, key=lambda cited: cited.role)
    )
    return Why("evidence", bool(draft.evidence), parts=parts)


def _cited(cited: Cited) -> Why:
    event = cited.event
    words = " ".join(filter(None, (event.source, event.id, event.kind, event.service)))
    return Why(f"{to_text(event.time)} {words}", True, event.title or "")


def _window(draft: Draft) -> Why:
    moments = (("first sign", draft.first_sign_at), ("acted", draft.intervened_at), ("safe", draft.safe_at))
    parts = tuple(Why(f"{name} at {to_text(at)}", True) for name, at in moments)
    return Why(f"looked at {to_text(draft.window_from)} to {to_text(draft.window_to)}", True, parts=parts)


def _coverage(draft: Draft) -> Why:
    parts = (*map(_feed, draft.coverage), *(Why(f"{name} has no feed", False) for name in draft.unfed_services))
    return Why("nobody was hit, as far as feeds could see", draft.verdict == "none", draft.verdict, parts)


def _feed(report: FeedReport) -> Why:
    said = f"{report.source} on {report.service}: {report.reports} reports"
    return Why(said, report.clear, report.detail)


def _doubts(draft: Draft) -> Why:
    parts = tuple(Why(missing, False) for missing in draft.missing_evidence)
    return Why(f"confidence {draft.confidence:.2f}", not parts, "" if parts else "nothing is missing", parts)


def _end(entry: Entry) -> tuple[Why, ...]:
    if entry.merged_into is not None:
        return (Why(f"merged into {entry.merged_into}", False),)
    if entry.reason is None:
        return ()
    return (
        Why(f"withdrawn at {to_text(entry.taken_back_at)}", False, str(entry.reason), tuple(map(_cited, entry.impact))),
    )
