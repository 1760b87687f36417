"""What somebody did, and which earlier change it undoes, by what its source says of it."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor, Event, Instant
from monitor.core.weighing.acts import (
    DONE,
    NOTHING_UNDONE,
    STOPPED,
    Undoing,
    flag_share,
    is_act,
    is_slip,
    same_actor,
    same_order,
    undoing,
    version_of,
)
from tests.support.streams import MACHINE, PERSON, make_event

DAYS = 24 * 60
"""In minutes."""
OTHER = Actor(id="p2", kind="human")


def merged(number: int, time: int, **labels: str) -> Event:
    subject = f"pull_request/acme/shop/{number}"
    return Event(
        id=f"{number}", source="github", time=Instant(time), kind="change.merged", subject=subject, labels=labels
    )


def did(verb: str, at: float, name: str | None = None, **fields: Any) -> Event:
    return make_event(f"change.{verb}", at, name or f"{verb}-{at:g}", **fields)


def flag(at: float, name: str | None = None, **labels: str) -> Event:
    return did("flag_set", at, name, subject="new-cart", labels=labels)


def deployed(at: float, version: str | None, **fields: Any) -> Event:
    labels = {} if version is None else {"version": version}
    return did("deployed", at, **{"subject": "web", "labels": labels, **fields})


def undone(act: Event, *before: Event) -> tuple[float, str | None]:
    found = undoing(act, before)
    return found.strength, None if found.change is None else found.change.id


def test_a_merge_that_reverts_a_request_undoes_it_by_its_number() -> None:
    first, other, back = merged(811, 0), merged(11, 1), merged(812, 2, reverts="811")
    assert undoing(back, [first, other]) == Undoing(0.4, first)
    assert undoing(merged(812, 2, reverts="12"), [first, other]) == Undoing(0.4, None)


@pytest.mark.parametrize(
    ("event", "anchors"),
    [
        *((did(kind.removeprefix("change."), 0), True) for kind in sorted(DONE | STOPPED)),
        (did("merged", 0, title='Revert "new cart"'), True),
        (did("merged", 0, title="new cart"), False),
        (did("started", 0, title='Revert "new cart"'), False),
        (did("failed", 0), False),
        (make_event("note.added", 0), False),
    ],
)
def test_what_a_candidate_may_be_anchored_at(event: Event, anchors: bool) -> None:
    assert is_act(event) is anchors


# -- back to what was ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "by"),
    [("web", "subject"), ("r9", "revision"), ("c9", "commit"), ("4", "version"), ("other", None)],
)
def test_a_rollback_undoes_the_change_that_it_names(named: str, by: str | None) -> None:
    labels = {"revision": "r9", "commit": "c9", "version": "4"}
    change = did("configured", 0, "change", subject="web", labels=labels)
    later = did("configured", 1, "later", subject="else")
    back = did("rolled_back", 10, labels={"reverts": named})
    assert undone(back, change, later) == (1.0, "later" if by is None else "change")


def test_a_rollback_that_names_nothing_undoes_the_last_change_of_its_subject() -> None:
    changes = [did("deployed", 0, "a", subject="web"), did("scaled", 1, "b", subject="web"), did("ran", 2, "c")]
    assert undone(did("rolled_back", 10, subject="web"), *changes) == (1.0, "b")
    assert undone(did("rolled_back", 10, subject="else"), *changes) == (1.0, "c")
    assert undone(did("rolled_back", 10), *changes) == (1.0, "c")


@pytest.mark.parametrize("verb", ["rolled_back", "restored", "restarted", "failed_over"])
def test_a_rollback_undoes_no_other_repair(verb: str) -> None:
    assert undone(did("rolled_back", 10), did("deployed", 0, "a"), did(verb, 1, "b")) == (1.0, "a")
    assert undone(did("restored", 10), did(verb, 1, "b")) == (1.0, None)


@pytest.mark.parametrize("verb", ["scaled", "ran", "restarted"])
def test_a_rollback_undoes_nothing_that_automation_did_beside_it(verb: str) -> None:
    act = did("rolled_back", 60, subject="web")
    released, beside = deployed(10, "2", subject="release 9"), did(verb, 30, "beside", subject="hpa", actor=MACHINE)
    assert undone(act, released, beside) == (1.0, released.id)
    assert undone(act, beside) == (1.0, None)


def test_a_run_is_not_undone_by_its_own_end() -> None:
    """A workspace begins a run and applies it under one subject, by one person."""
    run = did("started", 0, "run", subject="vpc", actor=PERSON)
    applied = did("configured", 4, "applied", subject="vpc", actor=PERSON)
    assert undone(applied, run) == (0.0, None)
    assert undone(did("configured", 9, "again", subject="vpc", actor=PERSON), run, applied) == (0.0, "applied")


@pytest.mark.parametrize(
    ("verb", "found"), [("rolled_back", None), ("deployed", "a"), ("configured", "a"), ("started", None)]
)
def test_of_its_own_subject_too_it_undoes_what_took_effect(verb: str, found: str | None) -> None:
    assert undone(did("rolled_back", 10, subject="web"), did(verb, 0, "a", subject="web")) == (1.0, found)


def test_a_configuration_that_says_that_it_reverts_may_undo_one_of_its_own_kind() -> None:
    title = 'Revert "pool of 40"'
    again = did("configured", 10, subject="pool", title=title)
    assert undone(again, did("configured", 0, "a", subject="pool")) == (1.0, "a")
    assert undone(did("scaled", 10, subject="pool", title=title), did("scaled", 0, "a", subject="pool")) == (1.0, None)


def test_a_merge_that_reverts_undoes_nothing_of_another_subject() -> None:
    revert = did("merged", 10, subject="pr/2", title='Revert "x"')
    assert undone(revert, did("deployed", 0, "a", subject="web")) == (0.4, None)
    assert undone(revert, did("deployed", 0, "a", subject="pr/2")) == (0.4, "a")


def test_a_named_request_is_found_among_merges_only() -> None:
    back = did("merged", 10, subject="pr/2", labels={"reverts": "1"}, title='Revert "x"')
    assert undone(back, did("merged", 0, "m", subject="pr/1")) == (0.4, "m")
    assert undone(back, did("deployed", 0, "m", subject="pr/1")) == (0.4, None)


@pytest.mark.parametrize(("minutes", "found"), [(7 * DAYS, "a"), (7 * DAYS + 1, None)])
def test_what_is_older_than_a_week_is_not_undone(minutes: int, found: str | None) -> None:
    assert undone(did("rolled_back", minutes, subject="web"), did("deployed", 0, "a", subject="web")) == (1.0, found)


@pytest.mark.parametrize("verb", ["restarted", "failed_over", "deleted", "rotated", "ran"])
def test_other_acts_undo_nothing(verb: str) -> None:
    assert undoing(did(verb, 10, subject="web"), [did("deployed", 0, subject="web")]) == NOTHING_UNDONE


# -- stopped -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["held", "blocked"])
@pytest.mark.parametrize(
    ("what", "subject", "found"),
    [
        ("started", "plan", "a"),
        ("deployed", "plan", "a"),
        ("failed", "plan", "a"),
        ("blocked", "plan", "a"),
        ("merged", "plan", None),
        ("started", "other", None),
        ("started", None, None),
    ],
)
def test_what_a_stop_stopped(verb: str, what: str, subject: str | None, found: str | None) -> None:
    assert undone(did(verb, 10, subject="plan"), did(what, 0, "a", subject=subject)) == (0.0, found)


def test_a_stop_without_a_subject_stopped_nothing_known_and_of_two_it_stopped_the_last() -> None:
    assert undone(did("held", 10), did("started", 0, "a", subject=None)) == (0.0, None)
    two = did("started", 0, "a", subject="plan"), did("started", 1, "b", subject="plan")
    assert undone(did("held", 10, subject="plan"), *two) == (0.0, "b")


# -- versions ------------------------------------------------------------------------------------------------


def test_the_version_is_a_label_or_the_commit() -> None:
    assert version_of(deployed(0, "4")) == "4"
    assert version_of(did("deployed", 0, labels={"commit": "c"})) == "c"
    assert version_of(did("deployed", 0)) is None


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (deployed(10, "1"), (1.0, "b")),
        (deployed(10, "2"), (0.0, None)),
        (deployed(10, "3"), (0.0, None)),
        (deployed(10, None), (0.0, None)),
        (deployed(10, "1", subject="api"), (0.0, None)),
        (deployed(10, "1", environment="staging"), (0.0, None)),
    ],
    ids=["back", "again", "new", "unnamed", "of another thing", "elsewhere"],
)
def test_a_version_that_ran_before_comes_back(act: Event, found: tuple[float, str | None]) -> None:
    assert undone(act, deployed(0, "1", name="a"), deployed(5, "2", name="b")) == found


def test_the_same_version_twice_is_one_run() -> None:
    runs = deployed(0, "1", name="a"), deployed(5, "2", name="b"), deployed(6, "2", name="c")
    assert undone(deployed(10, "1"), *runs) == (1.0, "b")
    assert undone(deployed(10, "1"), deployed(0, "1"), did("ran", 1, labels={"version": "2"})) == (0.0, None)


def test_a_version_comes_back_within_a_week_of_the_one_that_it_replaces() -> None:
    runs = deployed(0, "1", name="a"), deployed(5, "2", name="b")
    assert undone(deployed(5 + 7 * DAYS, "1"), *runs) == (1.0, "b")
    assert undone(deployed(6 + 7 * DAYS, "1"), *runs) == (0.0, None)


@pytest.mark.parametrize(
    ("version", "title", "subject", "found"),
    [
        ("3", 'Revert "cart"', "web", (1.0, "b")),
        ("3", "cart", "web", (0.0, None)),
        ("4", 'Revert "cart"', "web", (0.0, None)),
        ("3", 'Revert "cart"', "api", (1.0, None)),
    ],
)
def test_a_revert_takes_effect_with_its_deployment(
    version: str, title: str, subject: str, found: tuple[float, str | None]
) -> None:
    before = deployed(-5, "1", name="a"), deployed(0, "2", name="b"), deployed(1, "3", name="c")
    merge = did("merged", 5, title=title, labels={"version": "3"})
    assert undone(deployed(10, version, subject=subject), *before, merge) == found


# -- flags ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "percent"),
    [
        (flag(0, state="off"), 0.0),
        (flag(0, enabled="false"), 0.0),
        (flag(0, value="Disabled"), 0.0),
        (flag(0, to="on"), 100.0),
        (flag(0, value="TRUE"), 100.0),
        (flag(0, value="enabled"), 100.0),
        (flag(0, value="12.5"), 12.5),
        (flag(0, state="on", percent="20"), 20.0),
        (flag(0, state="off", percent="20"), 0.0),
        (flag(0, state="disabled", percent="20"), 0.0),
        (flag(0, percent="20"), 20.0),
        (flag(0, value="blue"), None),
        (flag(0, state="", to="off"), 0.0),
        (flag(0, state="on", to="off"), 100.0),
        (flag(0), None),
        (did("flag_set", 0, value=30.0), 30.0),
        (did("flag_set", 0, value=0.0), 0.0),
        (did("flag_set", 0, value=30.0, labels={"state": "off"}), 0.0),
    ],
)
def test_for_whom_a_flag_is_on(event: Event, percent: float | None) -> None:
    assert flag_share(event) == percent


@pytest.mark.parametrize(
    ("states", "strength"),
    [
        (("on", "off"), 1.0),
        (("50", "0"), 1.0),
        (("20", "50", "20"), 1.0),
        (("20", "50", "10"), 0.0),
        (("20", "50", "80"), 0.0),
        (("50", "50"), 0.0),
        (("50", "20"), 0.0),
        (("blue", "off"), 0.0),
        (("on", "blue"), 0.0),
        (("off",), 0.0),
    ],
)
def test_a_flag_goes_back(states: tuple[str, ...], strength: float) -> None:
    """Off, or to the share that it had before: the change undone is the one before."""
    events = [flag(place, f"f{place}", value=state) for place, state in enumerate(states)]
    found = undoing(events[-1], events[:-1])
    assert found == (Undoing(1.0, events[-2]) if strength else NOTHING_UNDONE)


def test_a_flag_is_known_by_its_label_or_its_subject() -> None:
    named = did("flag_set", 0, "a", subject="project/new-cart", labels={"flag": "new-cart", "value": "on"})
    assert undone(flag(5, value="off"), named) == (1.0, "a")
    assert undone(flag(5, value="off"), did("flag_set", 0, subject="old-cart", labels={"value": "on"})) == (0.0, None)
    assert undone(flag(5, value="off"), did("configured", 0, subject="new-cart", labels={"value": "on"})) == (0.0, None)


# -- settings ------------------------------------------------------------------------------------------------


def setting(at: float, title: str | None = None, name: str | None = None, **labels: str) -> Event:
    return did("configured", at, name, subject="pool", title=title, labels=labels, source=f"s{at:g}")


@pytest.mark.parametrize(
    ("first", "back", "strength"),
    [
        (setting(0, "pool 40 to 400"), setting(20, "pool 400 to 40"), 1.0),
        (setting(0, "pool 40 -> 400"), setting(20, "pool 400 → 40"), 1.0),
        (setting(0, "pool 40=>400"), setting(20, "pool 400 -> 40"), 1.0),
        (setting(0, "pool 40 to 400"), setting(20, "pool 400 to 60"), 0.0),
        (setting(0, "pool 40 to 400"), setting(20, "pool 300 to 40"), 0.0),
        (setting(0, "pool 40 to 40"), setting(20, "pool 40 to 40"), 0.0),
        (setting(0, **{"from": "40", "to": "400"}), setting(20, to="40"), 1.0),
        (setting(0, previous="40", to="400"), setting(20, **{"from": "400", "to": "40"}), 1.0),
        (setting(0, **{"from": "40", "to": "400"}), setting(20, **{"from": "9", "to": "40"}), 0.0),
        (setting(0, to="400"), setting(20, to="40"), 0.0),
        (setting(0), setting(20), 0.0),
    ],
)
def test_a_setting_gets_back_the_value_that_it_had(first: Event, back: Event, strength: float) -> None:
    assert undoing(back, [first]) == (Undoing(strength, first) if strength else NOTHING_UNDONE)


def test_a_setting_gets_back_the_value_of_the_time_before_last() -> None:
    one, two = setting(0, to="40"), setting(10, to="400")
    assert undoing(setting(20, to="40"), [one, two]) == Undoing(1.0, two)
    assert undoing(setting(20, to="60"), [one, two]) == NOTHING_UNDONE
    assert undoing(setting(20, to="40"), [two, one, setting(12, to="40")]) == NOTHING_UNDONE


def test_another_kind_of_change_of_the_subject_puts_nothing_back() -> None:
    grown = did("scaled", 0, subject="pool", title="pool 40 to 400", source="other")
    assert undoing(setting(20, "pool 400 to 40"), [grown]) == NOTHING_UNDONE


# -- slips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "other", "slip"),
    [(0, PERSON, True), (15, PERSON, True), (16, PERSON, False), (-1, PERSON, False), (5, OTHER, False)],
)
def test_who_did_it_takes_it_back_within_a_quarter_of_an_hour(minutes: int, other: Actor, slip: bool) -> None:
    first, second = did("scaled", 0, actor=PERSON), did("scaled", minutes, "b", actor=other)
    assert is_slip(first, second) is slip


def test_a_slip_is_undone_without_strength() -> None:
    first, second = did("scaled", 0, subject="pool", actor=PERSON), did("scaled", 5, subject="pool", actor=PERSON)
    assert undoing(second, [first]) == Undoing(0.0, first)
    assert undoing(second, []) == NOTHING_UNDONE


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (PERSON, PERSON, True),
        (PERSON, OTHER, False),
        (PERSON, None, False),
        (None, PERSON, False),
        (None, None, True),
        (None, MACHINE, False),
        (MACHINE, MACHINE, False),
    ],
)
def test_who_is_one_actor(one: Actor | None, other: Actor | None, same: bool) -> None:
    assert same_actor(did("ran", 0, actor=one), did("ran", 1, actor=other)) is same


def test_nobody_knows_who_by_two_tools_is_not_one_actor() -> None:
    assert not same_actor(did("ran", 0), did("ran", 1, source="other"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (did("scaled", 0, value=6.0), did("scaled", 1, value=6.0), True),
        (did("scaled", 0, value=6.0), did("scaled", 1, value=7.0), False),
        (did("scaled", 0, value=6.0), did("scaled", 1, labels={"replicas": "6"}), True),
        (did("scaled", 0, labels={"to": "6", "state": "on"}), did("scaled", 1, labels={"to": "6"}), True),
        (did("scaled", 0, value=6.0), did("ran", 1, value=6.0), False),
        (did("ran", 0, title="purge cache"), did("ran", 1, title="purge cache"), True),
        (did("ran", 0, title="purge cache"), did("ran", 1, title="fill cache"), False),
        (did("ran", 0, title="purge cache", subject="a"), did("ran", 1, title="purge cache", subject="b"), False),
        (did("ran", 0), did("ran", 1), False),
        (did("scaled", 0, value=6.0, title="grow"), did("scaled", 1, title="grow"), True),
    ],
)
def test_which_changes_ask_for_the_same(one: Event, other: Event, same: bool) -> None:
    assert same_order(one, other) is same


def test_a_flag_that_is_off_already_goes_nowhere() -> None:
    was_on, went_off = flag(0, "a", value="on"), flag(1, "b", value="off")
    assert undone(flag(2, value="off"), was_on, went_off) == (0.0, None)
