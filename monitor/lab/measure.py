"""Measures the rules on a made-up year: what they found of what was planted, what they asked people for nothing.

Runs the engine that decides and compares with what really happened. Knows neither files nor the rules' conditions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from monitor.core.deciding.engine import Engine
from monitor.core.model.budget import WEEK, team_of, week_of
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import DAY, Event, EventId, to_text
from monitor.core.model.near_miss import State
from monitor.core.model.rule import Rule
from monitor.lab.ledger import Entry, Ledger
from monitor.lab.replay import admitted
from monitor.lab.year.scene import Planted
from monitor.lab.year.stream import Year

MOST_A_WEEK = 3
LEAST_PRECISION = 0.8
LEAST_FOUND = 0.9
"""What is asked: live drafts of one team in one week at most, and shares at least. And no draft on an incident."""


class Told(msgspec.Struct, frozen=True):
    """One event of a draft: its part, which story told it, and what it was."""

    role: str
    story: str
    event: str


class FalseDraft(msgspec.Struct, frozen=True):
    """A standing draft of nothing: what it says, and from which noise it was made."""

    id: str
    rules: tuple[str, ...]
    mode: str
    service: str
    opened_at: str
    title: str
    told: tuple[Told, ...]
    incident: bool


class Missed(msgspec.Struct, frozen=True):
    """A planted near miss that no standing draft cites, and the reasons that the engine gave for its hazards."""

    story: str
    pattern: str
    family: str
    service: str
    at: str
    events: tuple[str, ...]
    reasons: tuple[str, ...]


class OfRule(msgspec.Struct, frozen=True):
    """What one rule named (it comes first among the rules of a draft): standing drafts, and those of nothing."""

    rule: str
    standing: int
    of_nothing: int
    withdrawn: int


class OfFamily(msgspec.Struct, frozen=True):
    """How many near misses of a family were planted, and how many of them were found."""

    family: str
    planted: int
    found: int


class Measured(msgspec.Struct, frozen=True):
    """The figures. Shares are between 0 and 1; `a_week_*` are live drafts of a team in a week."""

    days: int
    seed: int
    events: int
    live: int
    live_true: int
    digest: int
    digest_true: int
    withdrawn: int
    precision: float
    planted: int
    found: int
    found_share: float
    incidents: int
    on_incidents: int
    a_week_most: int
    a_week_mean: float
    busiest: str
    late: int
    not_opened: dict[str, int]
    rules: tuple[OfRule, ...]
    families: tuple[OfFamily, ...]
    false_drafts: tuple[FalseDraft, ...]
    missed: tuple[Missed, ...]

    def unmet(self) -> list[str]:
        """What is asked and was not reached, each in one clause; empty when all is well."""
        found = []
        if self.a_week_most > MOST_A_WEEK:
            found.append(f"{self.a_week_most} drafts for {self.busiest}, at most {MOST_A_WEEK} are asked")
        if self.precision < LEAST_PRECISION:
            found.append(f"precision {self.precision:.2f}, at least {LEAST_PRECISION} is asked")
        if self.found_share < LEAST_FOUND:
            found.append(f"{self.found_share:.2f} of the planted ones found, at least {LEAST_FOUND} is asked")
        if self.on_incidents:
            found.append(f"{self.on_incidents} drafts stand on an incident, none may")
        return found


class Witness:
    """Notes, while the engine decides, which reasons it gave for the hazards of planted near misses."""

    def __init__(self, year: Year) -> None:
        self._year = year
        self._seen = 0
        self._planted: dict[EventId, str] = {}
        self.reasons: dict[str, Counter[str]] = {}

    def note(self, decisions: Iterable[Decision]) -> None:
        for planted in self._year.planted[self._seen :]:
            self._planted.update(dict.fromkeys((*planted.hazard, *planted.intervention), planted.name))
        self._seen = len(self._year.planted)
        for decision in decisions:
            if not isinstance(decision, Ignore):
                continue
            for event_id in decision.evidence:
                name = self._planted.get(event_id)
                if name is not None:
                    rules = ", ".join(decision.rules) or "no rule"
                    said = f"{decision.reason} ({rules}): {decision.detail}"
                    self.reasons.setdefault(name, Counter())[said] += 1
                    break


def run_year(
    year: Year,
    rules: Sequence[Rule],
    make_regex: MakeRegex,
    keep: Callable[[list[Event]], None] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Measured:
    """The year through one engine to its end; `keep` is given every batch, `progress` the number of days told."""
    engine = Engine(rules, year.organisation.catalogue, make_regex)
    ledger, witness, events = Ledger(), Witness(year), 0
    for batch in year.batches():
        if keep is not None:
            keep(batch)
        decisions = engine.step([event if event.received_at is None else admitted(event) for event in batch])
        engine.forget_changes()
        witness.note(decisions)
        ledger.record(decisions)
        events += len(batch)
        if progress is not None:
            progress(year.day)
    decisions = engine.end()
    witness.note(decisions)
    ledger.record(decisions)
    return _measure(year, ledger, witness, events)


def _measure(year: Year, ledger: Ledger, witness: Witness, events: int) -> Measured:
    standing = ledger.standing()
    planted_ids = {event_id for planted in year.planted for event_id in (*planted.hazard, *planted.intervention)}
    harm_ids = {event_id for harm in year.harms for event_id in harm.events}
    cited = {entry.draft.id: _cited(entry) for entry in standing}
    true = {entry.draft.id for entry in standing if cited[entry.draft.id] & planted_ids}
    hurt = {entry.draft.id for entry in standing if cited[entry.draft.id] & harm_ids}
    live = [entry for entry in standing if entry.draft.mode == "live"]
    digest = [entry for entry in standing if entry.draft.mode == "digest"]
    everything = frozenset[EventId]().union(*cited.values())
    found = [planted for planted in year.planted if everything.intersection((*planted.hazard, *planted.intervention))]
    most, mean, busiest = _a_week(year, live)
    live_true = sum(entry.draft.id in true for entry in live)
    return Measured(
        days=year.shape.days,
        seed=year.shape.seed,
        events=events,
        live=len(live),
        live_true=live_true,
        digest=len(digest),
        digest_true=sum(entry.draft.id in true for entry in digest),
        withdrawn=ledger.states()[State.WITHDRAWN],
        precision=live_true / len(live) if live else 0.0,
        planted=len(year.planted),
        found=len(found),
        found_share=len(found) / len(year.planted),
        incidents=len(year.harms),
        on_incidents=len(hurt),
        a_week_most=most,
        a_week_mean=mean,
        busiest=busiest,
        late=ledger.late,
        not_opened={str(reason): count for reason, count in ledger.not_opened.most_common()},
        rules=_of_rules(ledger, true),
        families=_of_families(year.planted, found),
        false_drafts=tuple(_false(year, entry, hurt) for entry in standing if entry.draft.id not in true),
        missed=tuple(_missed(planted, witness) for planted in year.planted if planted not in found),
    )


def _cited(entry: Entry) -> frozenset[EventId]:
    return frozenset(cited.event.event_id for cited in entry.draft.evidence)


def _a_week(year: Year, live: list[Entry]) -> tuple[int, float, str]:
    """The most drafts of any team in any week, the mean over all teams and weeks, and which team it was when."""
    catalogue = year.organisation.catalogue
    counts = Counter((team_of(catalogue, entry.draft.service), week_of(entry.draft.opened_at)) for entry in live)
    teams = {team_of(catalogue, service) for service in catalogue.services}
    weeks = max(1, year.shape.days * DAY // WEEK)
    mean = len(live) / (len(teams) * weeks)
    if not counts:
        return 0, mean, ""
    (team, week), most = counts.most_common(1)[0]
    return most, mean, f"{team} in the week of {(to_text(week) or '')[:10]}"


def _of_rules(ledger: Ledger, true: set[str]) -> tuple[OfRule, ...]:
    standing: Counter[str] = Counter()
    of_nothing: Counter[str] = Counter()
    withdrawn: Counter[str] = Counter()
    for entry in ledger.entries():
        name = entry.draft.rules[0]
        if entry.stands:
            standing[name] += 1
            of_nothing[name] += entry.draft.id not in true
        elif entry.state == State.WITHDRAWN:
            withdrawn[name] += 1
    names = sorted(standing.keys() | withdrawn.keys(), key=lambda name: (-of_nothing[name], -standing[name], name))
    return tuple(OfRule(name, standing[name], of_nothing[name], withdrawn[name]) for name in names)


def _of_families(planted: Sequence[Planted], found: Sequence[Planted]) -> tuple[OfFamily, ...]:
    every, these = (Counter(one.family for one in group) for group in (planted, found))
    return tuple(OfFamily(family, every[family], these[family]) for family in sorted(every))


def _false(year: Year, entry: Entry, hurt: set[str]) -> FalseDraft:
    draft = entry.draft
    told = [
        Told(cited.role, year.story_of(cited.event), _line(cited.event))
        for cited in draft.evidence
        if cited.role in ("hazard", "intervention")
    ]
    return FalseDraft(
        id=draft.id,
        rules=draft.rules,
        mode=draft.mode,
        service=draft.service or "",
        opened_at=to_text(draft.opened_at) or "",
        title=draft.title,
        told=tuple(told),
        incident=draft.id in hurt,
    )


def _line(event: Event) -> str:
    actor = "" if event.actor is None else f"by {event.actor.kind}"
    parts = (to_text(event.time), event.kind, event.service, event.severity, event.subject, actor)
    return " ".join(part for part in parts if part)


def _missed(planted: Planted, witness: Witness) -> Missed:
    said = witness.reasons.get(planted.name, Counter())
    return Missed(
        story=planted.name.removeprefix("planted "),
        pattern=planted.pattern,
        family=planted.family,
        service=planted.service,
        at=to_text(planted.at) or "",
        events=tuple(event_id.source + " " + event_id.id for event_id in (*planted.hazard, *planted.intervention)),
        reasons=tuple(reason for reason, _ in said.most_common(6)),
    )
