"""The labelled cases of the folders that NEARMISS_CASES names, separated by colons: none may break the engine.

Changes that mean nothing may change nothing. How well the engine does is printed, not judged here.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from monitor.cli.case_files import find_case_files, load_case
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.catalogue import Hours
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, Instant, to_datetime
from monitor.core.model.near_miss import State
from monitor.core.state.alerts import alert_key
from monitor.core.weighing.weights import Weights
from monitor.decode.canonical import decode_line, encode
from monitor.decode.streams import arrival_order
from monitor.lab.cases import Case
from monitor.lab.dialects import DIALECTS
from monitor.lab.evaluate import CaseOutcome, figures, in_dialect, run_case
from monitor.lab.ledger import DraftEntry, Ledger
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.support.shipped import compiled_shipped, read_shipped

FOLDERS = [Path(folder) for folder in os.environ.get("NEARMISS_CASES", "").split(":") if folder]
if not FOLDERS:
    pytest.skip("set NEARMISS_CASES to folders of labelled cases to try the rules on them", allow_module_level=True)

RULES = read_shipped()
COMPILED = compiled_shipped()
WEIGHED = EngineSettings(weights=shipped_weights())
PATHS = [path for folder in FOLDERS for path in find_case_files(folder)]
WEEK = 7 * DAY
TWENTY_EIGHT_YEARS = 1461 * WEEK
"""After so many weeks each date has its day of the week again, and summer time begins and ends on the same dates."""
MOST_WEEKS = 6000


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


@functools.cache
def read(path: Path) -> Case:
    """The case of a file, which is read once for all that is asked of it."""
    loaded = load_case(path)
    assert loaded.case is not None, [str(problem) for problem in loaded.problems]
    return loaded.case


def final(case: Case, events: Sequence[Event]) -> list[DraftEntry]:
    """What the service as shipped comes to: weighed."""
    engine = Engine(RULES, case.catalogue, make_regex, WEIGHED, compiled=COMPILED)
    ledger = Ledger()
    ledger.record(engine.step(events))
    ledger.record(engine.end())
    return list(ledger.entries())


@functools.cache
def _as_it_is(case_id: str) -> list[DraftEntry]:
    (case,) = [case for case in map(read, PATHS) if case.id == case_id]
    return final(case, arrival_order(case.events))


def as_it_is(case: Case) -> list[DraftEntry]:
    """What the case of a file comes to; worked out once, for all that is compared with it."""
    return _as_it_is(case.id)


def lines(entries: Sequence[DraftEntry]) -> list[dict[str, object]]:
    return [entry.line() for entry in entries]


def test_the_cases_run_and_their_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert PATHS, f"no case files in {FOLDERS}"
    cases = [read(path) for path in PATHS]
    outcomes = [run_case(case, RULES, make_regex, WEIGHED.weights, COMPILED) for case in cases]
    wrong = [outcome.judged.id for outcome in outcomes if not outcome.judged.ok]
    with capsys.disabled():
        print(f"\n{len(outcomes)} cases: {figures(outcomes)}; not ok: {', '.join(wrong) or 'none'}")  # noqa: T201


@pytest.mark.parametrize("key", ["unknown-actors", "aliases", "no-aliases", "lossy"])
def test_nothing_stands_where_users_were_hit_however_tools_tell_it(key: str) -> None:
    """These dialects take away what places a sign, an act or announced work; impact itself is told in all of them."""
    (dialect,) = [dialect for dialect in DIALECTS if dialect.key == key]
    cases = [case for case in map(read, PATHS) if case.label == "impact"]
    told = [run_case(in_dialect(case, dialect), RULES, make_regex, WEIGHED.weights, COMPILED) for case in cases]
    assert [outcome.judged.id for outcome in told if outcome.judged.standing] == []


def test_copies_change_nothing(case: Case) -> None:
    ordered = arrival_order(case.events)
    copied = [copy for event in ordered for copy in (event, event)]
    assert lines(final(case, copied)) == lines(as_it_is(case))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_disorder_within_the_lateness_changes_nothing(case: Case, seed: int) -> None:
    ordered = arrival_order(case.events)
    random = Random(seed)
    late = {event.event_id: random.randrange(59 * SECOND) for event in ordered}
    disordered = sorted(ordered, key=lambda event: event.time + late[event.event_id])
    assert lines(final(case, disordered)) == lines(as_it_is(case))


def test_without_feeds_the_same_drafts_say_that_nobody_looked(case: Case) -> None:
    ordered = arrival_order(case.events)
    unfed = [event for event in ordered if event.kind != "impact.clear"]
    fed = {entry.draft.id: entry for entry in as_it_is(case)}
    for entry in final(case, unfed):
        assert entry.draft.verdict != "none"
        assert entry.draft.id in fed
        assert entry.state == fed[entry.draft.id].state


def test_the_same_story_years_later_comes_to_the_same(case: Case) -> None:
    """By any number of weeks where nobody declares hours; else by so many that the clocks on the wall agree."""
    for at_least in (156 * WEEK, TWENTY_EIGHT_YEARS):
        moved = moved_by(case, shift_by_the_clock(case, at_least))
        assert told(moved) == [without_times(entry) for entry in as_it_is(case)]


@pytest.mark.parametrize(
    ("zone", "at_least"), [("Europe/London", 156 * WEEK), ("America/Los_Angeles", TWENTY_EIGHT_YEARS)]
)
def test_the_same_story_of_services_with_hours_comes_to_the_same_years_later(
    case: Case, zone: str, at_least: int
) -> None:
    """As if every service of the case declared office hours, with daylight saving."""
    declared = with_hours(case, zone)
    assert told(moved_by(declared, shift_by_the_clock(declared, at_least))) == told_with_hours(case, zone)


@pytest.mark.parametrize("hours", [-11, 5.5, 9])
def test_the_same_story_written_with_another_offset_is_the_same_story(
    case: Case, request: pytest.FixtureRequest, tmp_path: Path, hours: float
) -> None:
    """14:00+02:00 is 12:00Z: in the file of the case, and in each line of the events."""
    # A label is text, also where it holds a time.
    bare = [msgspec.structs.replace(event, labels={}) for event in case.events]
    assert [decode_line(with_offset(encode(event), hours)) for event in bare] == [
        decode_line(encode(event)) for event in bare
    ]
    text = with_offset(request.node.callspec.params["case"].read_bytes(), hours)
    assert text != with_offset(text, 0), "the file holds times that are not written as expected"
    written = tmp_path / "case.yaml"
    written.write_bytes(text)
    again = load_case(written).case
    assert again is not None
    assert lines(final(again, arrival_order(again.events))) == lines(as_it_is(case))


@pytest.mark.parametrize(("hours", "zone"), [(-11, "Etc/GMT-11"), (-5.5, "Asia/Kolkata"), (9, "Etc/GMT+9")])
def test_the_same_story_by_all_clocks_elsewhere_comes_to_the_same(case: Case, hours: float, zone: str) -> None:
    """All clocks are shifted; with them the zones of the services' hours, whose clocks then show what they showed."""
    moved = moved_by(case, int(hours * HOUR))
    assert told_with_hours(case, None) == told(with_hours(moved, None))
    assert told_with_hours(case, "Etc/UTC") == told(with_hours(moved, zone))


def test_hours_matter_to_the_cases() -> None:
    """What is shifted above can show: by clocks that are not shifted with the events, some story is told otherwise."""
    cases = [read(path) for path in PATHS]
    assert any(
        told_with_hours(case, "Etc/UTC") != told(with_hours(moved_by(case, 9 * HOUR), "Etc/UTC")) for case in cases
    )


def test_a_public_status_post_in_the_window_leaves_nothing_standing(case: Case) -> None:
    ordered = arrival_order(case.events)
    for entry in standing(as_it_is(case)):
        draft = entry.draft
        for at in (draft.first_sign_at, draft.intervened_at, (draft.safe_at + draft.window_to) // 2):
            told = final(case, sorted([*ordered, status_post(at)], key=arrived))
            assert draft.id not in {other.draft.id for other in standing(told)}, at


def test_a_status_post_that_is_heard_of_later_withdraws_what_had_opened(case: Case) -> None:
    ordered = arrival_order(case.events)
    for entry in standing(as_it_is(case)):
        draft = entry.draft
        after = Instant(draft.opened_at + 3 * HOUR)
        # Somebody still sends something, so that event time goes on and the draft opens before the post is heard of.
        heard = [*ordered, _passing(after), status_post(draft.intervened_at, received_at=Instant(after + HOUR))]
        entries = {other.draft.id: other for other in final(case, sorted(heard, key=arrived))}
        assert entries[draft.id].state == State.WITHDRAWN
        assert entries[draft.id].reason is not None


def test_when_all_is_heard_later_only_when_changes(case: Case) -> None:
    ordered = arrival_order(case.events)
    late = [msgspec.structs.replace(event, received_at=Instant(arrived(event) + 5 * HOUR)) for event in ordered]
    assert lines(final(case, late)) == lines(as_it_is(case))


def test_impact_that_is_heard_of_later_comes_to_the_same(case: Case) -> None:
    ordered = arrival_order(case.events)
    for place, event in enumerate(ordered):
        # A record that says nothing of users is a hazard, no impact.
        if event.kind != "impact.started" and not (
            event.kind in ("incident.opened", "incident.updated") and event.labels.get("impact") == "users"
        ):
            continue
        for delay in (20 * MINUTE, 6 * HOUR):
            late = msgspec.structs.replace(event, received_at=Instant(arrived(event) + delay))
            heard = sorted([*ordered[:place], *ordered[place + 1 :], late], key=arrived)
            assert said(final(case, heard)) == said(as_it_is(case)), (event.id, delay)


def test_without_resolves_drafts_of_rules_alone_are_less_sure() -> None:
    for _, before, after in with_and_without_resolves(None):
        left = after.ledger.standing()
        for entry in before.ledger.standing():
            # The same story: it may open under another rule, and then from another sign on.
            same = [other for other in left if set(other.draft.services) & set(entry.draft.services)]
            if recoveries_of(entry, before.case):
                assert all(other.draft.confidence < entry.draft.confidence for other in same), before.case.id
            else:
                # What recovered were others' alerts: nothing here rests on them.
                assert [without_context(other) for other in same] == [without_context(entry)], before.case.id


def test_without_resolves_hardly_a_story_is_lost() -> None:
    both = with_and_without_resolves(WEIGHED.weights)
    lost = [case for case, before, after in both if before.judged.ok and not after.judged.ok]
    assert len(lost) <= 1, lost


# -- helpers ---------------------------------------------------------------------------------------------------


def told(case: Case) -> list[dict[str, object]]:
    return [without_times(entry) for entry in final(case, arrival_order(case.events))]


@functools.cache
def _told_with_hours(case_id: str, zone: str | None) -> list[dict[str, object]]:
    (case,) = [case for case in map(read, PATHS) if case.id == case_id]
    return told(with_hours(case, zone))


def told_with_hours(case: Case, zone: str | None) -> list[dict[str, object]]:
    return _told_with_hours(case.id, zone)


def shift_by_the_clock(case: Case, at_least: int) -> int:
    """The first shift in whole weeks, from `at_least` on (microseconds), after which the clocks of the case agree.

    Time zones change their rules, so that not even 28 years are always enough; where nobody declares hours, any is.
    """
    zones = {ZoneInfo(service.hours.zone) for service in case.catalogue.services.values() if service.hours is not None}
    times = [at for event in case.events for at in (event.time, event.expires_at) if at is not None]
    # A service that opens at all opens within a week and a day.
    moments = range(min(times) - DAY, max(times) + 9 * DAY, 6 * HOUR)
    for weeks in range(at_least // WEEK, MOST_WEEKS):
        if all(offset(zone, at) == offset(zone, at + weeks * WEEK) for zone in zones for at in moments):
            return weeks * WEEK
    raise AssertionError(f"{case.id}: no shift keeps the clocks of {sorted(zone.key for zone in zones)}")


def offset(zone: ZoneInfo, at: int) -> timedelta | None:
    return to_datetime(at).astimezone(zone).utcoffset()


def with_hours(case: Case, zone: str | None) -> Case:
    """The case with office hours for every service of its catalogue, by the clock of a zone; None: without any."""
    hours = None if zone is None else Hours(zone=zone, opens=8 * 60, closes=18 * 60, days=frozenset(range(1, 6)))
    services = {
        name: msgspec.structs.replace(service, hours=hours) for name, service in case.catalogue.services.items()
    }
    return msgspec.structs.replace(case, catalogue=msgspec.structs.replace(case.catalogue, services=services))


def moved_by(case: Case, by: int) -> Case:
    return msgspec.structs.replace(case, events=tuple(shifted(event, by) for event in case.events))


def with_and_without_resolves(weights: Weights | None) -> Iterator[tuple[str, CaseOutcome, CaseOutcome]]:
    """Every case's id, what comes of it, and what comes of it where no alert tells its end."""
    for case in map(read, PATHS):
        unresolved = tuple(event for event in case.events if event.kind != "alert.resolved")
        before, after = (
            run_case(msgspec.structs.replace(case, events=events), RULES, make_regex, weights, COMPILED)
            for events in (case.events, unresolved)
        )
        yield case.id, before, after


def recoveries_of(entry: DraftEntry, case: Case) -> list[Event]:
    """What recovered after somebody acted, of the alerts that the draft cites: those of others do not make it safe."""
    fired = {
        alert_key(cited.event)
        for cited in entry.draft.evidence
        if cited.role == "hazard" and cited.event.kind == "alert.fired"
    }
    return [
        event
        for event in case.events
        if event.kind == "alert.resolved" and alert_key(event) in fired and event.time >= entry.draft.intervened_at
    ]


def without_context(entry: DraftEntry) -> dict[str, object]:
    """The draft apart from what it cites beside its steps, such as the recovery of somebody else's alert."""
    line = entry.line()
    evidence = line["evidence"]
    assert isinstance(evidence, dict)
    return {**line, "evidence": {role: cited for role, cited in evidence.items() if role != "context"}}


def standing(entries: Sequence[DraftEntry]) -> list[DraftEntry]:
    return [entry for entry in entries if entry.stands]


def said(entries: Sequence[DraftEntry]) -> list[tuple[object, ...]]:
    """What stands at the end, without when it was told: which events it cites, what it is called, what it found."""
    return sorted(
        (
            draft.title,
            draft.rules,
            draft.verdict,
            tuple(sorted((cited.role, cited.event.id) for cited in draft.evidence)),
        )
        for draft in (entry.draft for entry in standing(entries))
    )


def arrived(event: Event) -> Instant:
    return event.time if event.received_at is None else event.received_at


def status_post(at: int, received_at: Instant | None = None) -> Event:
    return Event(
        id="post",
        source="statuspage/added",
        time=Instant(at),
        kind="impact.started",
        title="We are looking into errors",
        labels={"evidence": "status_post"},
        received_at=received_at,
    )


def _passing(at: Instant) -> Event:
    """An event that means nothing, on a service that nobody knows."""
    return Event(id="passing", source="added", time=at, kind="change.scaled", service="somewhere-else")


def with_offset(line: bytes, hours: float) -> bytes:
    """The same instants as a clock in another zone would write them."""
    zone = timezone(timedelta(hours=hours))

    def written(found: re.Match[str]) -> str:
        return f'"{datetime.fromisoformat(found[1]).astimezone(zone).isoformat()}"'

    return re.sub(r'"(\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))"', written, line.decode()).encode()


def shifted(event: Event, by: int) -> Event:
    fields = ("time", "expires_at", "previous_expires_at", "began_at", "covers_from", "received_at")
    moved = {name: Instant(at + by) for name in fields if (at := getattr(event, name)) is not None}
    return msgspec.structs.replace(event, **moved)


def without_times(entry: DraftEntry) -> dict[str, object]:
    """The published fields; times count from the first sign, and the id, which may depend on them, is left out."""
    draft = entry.draft
    relative = {
        name: at - draft.first_sign_at
        for name in ("intervened_at", "safe_at", "opened_at", "noticed_at")
        if (at := getattr(draft, name)) is not None
    }
    left_out = {"id", "merged_into", "repeat_of", "chain", "first_sign_at", *relative}
    return {**{name: value for name, value in entry.line().items() if name not in left_out}, **relative}
