"""A pack over a stream: who would have had how much to look at, and what rules in shadow would add."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from monitor.core.model.events import DAY, MINUTE, Event, Instant
from monitor.core.model.near_miss import Mode, State
from monitor.core.model.rule import Intervention, Rule, Step
from monitor.decode.catalogues import catalogue_from_mapping
from monitor.decode.streams import arrival_order
from monitor.lab.backtest import Backtest, BacktestReport
from monitor.packs.language.regex import make_regex
from tests.support.streams import BY_HUMAN, acted_rule
from tests.unit.lab.stories import SHOP, TICKET, story

NAME, GENERIC = "burn", "acted"


def pack(mode: Mode = "live", *, without: Sequence[str] = ()) -> list[Rule]:
    """A specific rule in some mode, and a catch-all."""
    back = Intervention(Step(frozenset({"change.rolled_back"}), BY_HUMAN), 30 * MINUTE)
    rules = [acted_rule(name=NAME, title="Burn", generic=False, mode=mode, intervention=back), acted_rule()]
    return [rule for rule in rules if rule.name not in without]


def outcome(events: Sequence[Event], rules: Sequence[Rule], owners: dict[str, str] | None = None) -> BacktestReport:
    catalogue = catalogue_from_mapping(SHOP)
    for service, owner in (owners or {}).items():
        catalogue.services[service] = msgspec.structs.replace(catalogue.services[service], owner=owner)
    backtest = Backtest(rules, catalogue, make_regex)
    backtest.step(arrival_order(events))
    backtest.end()
    return backtest.report()


def later(events: Sequence[Event], by: int) -> list[Event]:
    """The same story again so many microseconds later, under other identities."""
    return [msgspec.structs.replace(event, id=f"{event.id}+{by}", time=Instant(event.time + by)) for event in events]


def test_a_draft_is_counted_for_its_rule_its_team_and_its_week() -> None:
    report = outcome(story(), pack(), {"payments": "team-pay"})
    (found,) = report.found
    assert (found.rule, found.team, found.state, found.mode) == (NAME, "team-pay", State.DRAFT, "live")
    assert [event.id for event in found.evidence] == ["slow", "back"]
    figures = {rule.name: rule for rule in report.rules}
    assert figures[NAME].drafts == 1
    assert figures[NAME].verdicts == {"none": 1}
    assert figures[NAME].weeks == {"2026-W11": 1}
    assert figures[GENERIC].also == 1
    (team,) = report.teams
    assert (team.name, team.drafts, team.weeks) == ("team-pay", 1, {"2026-W11": 1})
    assert report.weeks == ("2026-W10", "2026-W11")
    assert report.events == len(story())


def test_without_an_owner_the_service_stands_for_itself() -> None:
    assert [team.name for team in outcome(story(), pack()).teams] == ["payments"]


def test_why_nothing_was_opened_is_counted_by_rule() -> None:
    report = outcome(story(TICKET), pack())
    figures = {rule.name: rule for rule in report.rules}
    assert report.found == ()
    assert figures[NAME].not_opened["impact_seen"] == 1


def test_a_withdrawn_draft_is_counted_with_its_reason_and_does_not_stand() -> None:
    hit = {**TICKET, "time": "2026-03-10T17:40:00Z", "began_at": "2026-03-10T17:39:00Z"}
    report = outcome(story(hit), pack())
    assert [found.state for found in report.found] == [State.WITHDRAWN]
    assert report.standing == ()
    assert next(rule for rule in report.rules if rule.name == NAME).withdrawn == {"impact_afterwards": 1}
    assert report.teams == ()


def test_a_rule_in_shadow_shows_what_it_would_have_opened_and_changes_nothing_of_the_rest() -> None:
    report = outcome(story(), pack("shadow"))
    shown = [found for found in report.found if found.mode == "live"]
    shadow = [found for found in report.found if found.mode == "shadow"]
    assert [found.rule for found in shown] == [GENERIC]
    assert [found.rule for found in shadow] == [NAME]
    figures = {rule.name: rule for rule in report.rules}
    assert (figures[NAME].drafts, figures[NAME].mode) == (1, "shadow")
    assert figures[GENERIC].drafts == 1
    assert [(team.drafts, team.shadow) for team in report.teams] == [(1, 1)]
    without = outcome(story(), pack(without=[NAME]))
    assert [(found.id, found.title) for found in shown] == [(found.id, found.title) for found in without.found]


def test_the_digest_asks_nobody_for_a_review() -> None:
    (team,) = outcome(story(), pack("digest", without=[GENERIC])).teams
    assert (team.drafts, team.digest, team.weeks) == (0, 1, {})


@pytest.mark.parametrize(
    ("days", "weeks"),
    [
        (7, ("2026-W10", "2026-W11", "2026-W12")),
        (21, ("2026-W10", "2026-W11", "2026-W12", "2026-W13", "2026-W14")),
        (365 * 70, ("2026-W10", "2026-W11", "2096-W07", "2096-W08")),
    ],
)
def test_silent_weeks_are_drawn_unless_the_silence_is_long(days: int, weeks: tuple[str, ...]) -> None:
    assert outcome([*story(), *later(story(), days * DAY)], pack()).weeks == weeks


def test_weeks_are_those_of_the_iso_calendar() -> None:
    report = outcome(later(story(), -69 * DAY), pack())
    assert report.weeks == ("2025-W52", "2026-W01")
