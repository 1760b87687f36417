"""What a pack of rules makes of a stream: drafts by rule, by team and by week, and what rules in shadow would open.

Runs the very engine that decides, over batches of any length, and keeps drafts and counts only. Reads no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Amend, Decision, Open
from monitor.core.model.events import DAY, Event, EventId, Instant, to_datetime
from monitor.core.model.faults import Culprit
from monitor.core.model.near_miss import Mode, State, Verdict
from monitor.core.model.rule import Rule
from monitor.core.weighing.shapes import SHAPES
from monitor.core.weighing.weights import Weights
from monitor.lab.backtest_index import BacktestIndex, IndexWriter
from monitor.lab.backtest_runs import BacktestRun, RunsByIndex, StartEngine, WholeRuns
from monitor.lab.changed_rules import ChangedRun
from monitor.lab.ledger import DraftEntry
from monitor.lab.replay import without
from monitor.lab.shadow import as_live, has_shadow, shadow_names

WEEK = 7 * DAY
_FROM_MONDAY = 3 * DAY
"""1970-01-01 was a Thursday."""
_LONGEST_SILENCE = 8
"""Weeks without an event that are still drawn; a longer silence is more likely a clock that was wrong."""
NO_SERVICE = "no service"


class Found(msgspec.Struct, frozen=True):
    """One draft as far as a backtest speaks of it. `evidence` is what the hazard and the intervention were.

    `mode` is `shadow` for what would have been opened, were the rule that names it live. `rules` has that one first.
    """

    id: str
    rules: tuple[str, ...]
    mode: Mode
    service: str | None
    team: str
    title: str
    verdict: Verdict
    state: State
    reason: str | None
    first_sign_at: Instant
    opened_at: Instant
    hazards: tuple[EventId, ...]
    interventions: tuple[EventId, ...]

    @property
    def rule(self) -> str:
        return self.rules[0]

    @property
    def stands(self) -> bool:
        return self.state == State.DRAFT

    @property
    def evidence(self) -> tuple[EventId, ...]:
        return self.hazards + self.interventions


class RuleFigures(msgspec.Struct, frozen=True):
    """What one rule came to. Counts are of drafts that it names, but `also`: standing drafts that another one names.

    `weeks` counts standing drafts by ISO week (UTC) of their opening. Of a rule in shadow mode all of it is what would
    have been. `not_opened` counts the engine's reasons.
    """

    name: str
    mode: Mode
    drafts: int
    verdicts: dict[str, int]
    withdrawn: dict[str, int]
    merged: int
    also: int
    weeks: dict[str, int]
    not_opened: dict[str, int]


class TeamFigures(msgspec.Struct, frozen=True):
    """The standing drafts of the services of one owner; those of a service without one stand for themselves.

    `weeks` counts what asks for a review: neither `digest` nor `shadow` does.
    """

    name: str
    drafts: int
    digest: int
    shadow: int
    weeks: dict[str, int]


class BacktestReport(msgspec.Struct, frozen=True):
    """Everything of one run. `weeks` are those of the stream, in order; `late` counts events beyond the lateness."""

    events: int
    weeks: tuple[str, ...]
    rules: tuple[RuleFigures, ...]
    teams: tuple[TeamFigures, ...]
    found: tuple[Found, ...]
    late: int = 0

    @property
    def standing(self) -> tuple[Found, ...]:
        return tuple(found for found in self.found if found.stands)


class Backtest:
    """A pack over one stream: `step` as often as there are batches, then `end`, then `report`.

    What rules in shadow mode would have opened, were they live, shows beside it, and changes nothing of what is opened.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        make_regex: MakeRegex,
        *,
        is_compared: bool = False,
        aside: Collection[Culprit] = (),
        weights: Weights | None = None,
        index: BacktestIndex | None = None,
        writer: IndexWriter | None = None,
    ) -> None:
        """`is_compared`: keep the engine's reasons too, so that `why_not` can tell them. `aside`: leave this out.

        `index`: of another pack's run over the same events, by which only what differs is run; `writer`: writes one.
        Raises IndexUnusable where everything has to be run.
        """
        self._aside = aside
        self.rules = tuple(rules)
        self._catalogue = catalogue
        # What the net finds by itself has a name as well, and figures of its own.
        self._named = self.rules + (() if weights is None else tuple(SHAPES.values()))
        self._modes: dict[str, Mode] = {rule.name: rule.mode for rule in self._named}
        self._events = 0
        self._weeks: set[int] = set()
        packs = [list(rules), as_live(rules)] if has_shadow(rules) else [list(rules)]
        self._together: RunsByIndex | WholeRuns
        if index is not None:
            self._together = RunsByIndex([ChangedRun(index, p, catalogue, make_regex, weights) for p in packs])
            return
        settings = EngineSettings(weights=weights)

        def starts(pack: Sequence[Rule]) -> StartEngine:
            return lambda cells: Engine(pack, catalogue, make_regex, settings, cells, aside=aside)

        self._together = WholeRuns(list(map(starts, packs)), shadow_names(rules), writer, is_compared=is_compared)

    def step(self, events: Sequence[Event]) -> list[EventId]:
        """Take events in the order of their arrival; the events on which new drafts rest. Raises Fault."""
        events = without(events, self._aside)
        self._events += len(events)
        self._weeks.update({(event.time + _FROM_MONDAY) // WEEK for event in events})
        return self._new(self._together.step(events))

    def end(self) -> list[EventId]:
        return self._new(self._together.end())

    @property
    def by_index(self) -> tuple[ChangedRun, ...]:
        """How it was run by an index: the pack, and with its shadow rules live; none where all was run."""
        return self._together.runs if isinstance(self._together, RunsByIndex) else ()

    @property
    def _runs(self) -> Sequence[BacktestRun]:
        """The pack as it is, and with its shadow rules live where it has any."""
        return self._together.runs

    def _new(self, decided: Iterable[Decision]) -> list[EventId]:
        opened = [each.draft for each in decided if isinstance(each, Open | Amend)]
        return [cited.event.event_id for draft in opened for cited in draft.evidence if cited.role in _PARTS]

    def want(self, events: Sequence[EventId]) -> None:
        """Keep the reasons for which these events open nothing here; `why_not` may be asked for them."""
        for run in self._runs:
            if run.reasons is not None:
                run.reasons.want(events)

    def why_not(self, found: Found) -> str:
        """Why this draft of another pack is not opened here: the engine's reason, or that no rule wants it."""
        runs = self._runs if found.mode != "shadow" else self._runs[::-1]
        kept = [run.reasons for run in runs if run.reasons is not None]
        said = next(filter(None, (reasons.about(found.evidence, found.rules) for reasons in kept)), "")
        if found.rule not in self._modes:
            return f"no rule is named {found.rule}" + (f"; {said}" if said else "")
        if said:
            return said
        if not all(reasons.is_complete for reasons in kept):
            return "reason not remembered: too many events opened nothing"
        return "no rule matches its events as a hazard"

    def report(self) -> BacktestReport:
        """What came of it so far."""
        found = tuple(sorted(self._found(), key=lambda one: (one.opened_at, one.id, one.mode)))
        seen = {one.rule for one in found}
        shown = [rule for rule in self._named if rule.name in seen or rule in self.rules]
        rules = tuple(self._figures(rule, found) for rule in sorted(shown, key=lambda rule: rule.name))
        weeks = self._weeks | {_week(one.opened_at) for one in found}
        return BacktestReport(
            self._events, _labels(sorted(weeks)), rules, _teams(found), found, self._runs[0].ledger.late
        )

    def _found(self) -> list[Found]:
        shown, *promoted = self._runs
        found = [self._seen(entry, entry.draft.mode) for entry in shown.ledger.entries()]
        for run in promoted:
            entries = run.ledger.entries()
            found += [self._seen(entry, "shadow") for entry in entries if self._modes[entry.draft.rules[0]] == "shadow"]
        return found

    def _seen(self, entry: DraftEntry, mode: Mode) -> Found:
        draft = entry.draft
        known = self._catalogue.services.get(draft.service or "")
        reason = str(entry.reason) if entry.reason is not None else entry.merged_into
        return Found(
            id=draft.id,
            rules=draft.rules,
            mode=mode,
            service=draft.service,
            team=(known.owner if known else None) or draft.service or NO_SERVICE,
            title=draft.title,
            verdict=draft.verdict,
            state=entry.state,
            reason=reason,
            first_sign_at=draft.first_sign_at,
            opened_at=draft.opened_at,
            hazards=tuple(cited.event.event_id for cited in draft.evidence if cited.role == "hazard"),
            interventions=tuple(cited.event.event_id for cited in draft.evidence if cited.role == "intervention"),
        )

    def _figures(self, rule: Rule, found: Sequence[Found]) -> RuleFigures:
        own = [one for one in found if one.rule == rule.name and (one.mode == "shadow") == (rule.mode == "shadow")]
        standing = [one for one in own if one.stands]
        run = self._runs[-1 if rule.mode == "shadow" else 0]
        reasons = {reason: count for (name, reason), count in run.not_opened.items() if name == rule.name}
        return RuleFigures(
            name=rule.name,
            mode=rule.mode,
            drafts=len(standing),
            verdicts=_frequent(Counter(str(one.verdict) for one in standing)),
            withdrawn=_frequent(Counter(str(one.reason) for one in own if one.state == State.WITHDRAWN)),
            merged=sum(one.state == State.MERGED for one in own),
            also=sum(one.stands and rule.name in one.rules[1:] for one in found),
            weeks=_by_week(standing),
            not_opened=_frequent(Counter(reasons)),
        )


_PARTS = frozenset({"hazard", "intervention"})


def _teams(found: Sequence[Found]) -> tuple[TeamFigures, ...]:
    by_team: dict[str, list[Found]] = {}
    for one in found:
        if one.stands:
            by_team.setdefault(one.team, []).append(one)
    return tuple(
        TeamFigures(
            name=team,
            drafts=sum(one.mode == "live" for one in own),
            digest=sum(one.mode == "digest" for one in own),
            shadow=sum(one.mode == "shadow" for one in own),
            weeks=_by_week([one for one in own if one.mode == "live"]),
        )
        for team, own in sorted(by_team.items())
    )


def _by_week(found: Sequence[Found]) -> dict[str, int]:
    counts = Counter(_week(one.opened_at) for one in found)
    return {_label(week): counts[week] for week in sorted(counts)}


def _frequent(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _week(at: int) -> int:
    """The number of its week, Monday to Sunday in UTC, since the one of 1970-01-01."""
    return (at + _FROM_MONDAY) // WEEK


def _label(week: int) -> str:
    year, number, _ = to_datetime(week * WEEK - _FROM_MONDAY).isocalendar()
    return f"{year}-W{number:02}"


def _labels(weeks: Sequence[int]) -> tuple[str, ...]:
    """The weeks with events, and the silent ones between them unless the silence is long."""
    drawn: list[int] = []
    for week in weeks:
        if drawn and week - drawn[-1] <= _LONGEST_SILENCE:
            drawn += range(drawn[-1] + 1, week + 1)
        else:
            drawn.append(week)
    return tuple(map(_label, drawn))
