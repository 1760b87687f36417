"""Notes that name no service wait for an act that answers them, in words of the act or of its alert."""

from __future__ import annotations

import pytest

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.overheard import MOST_OVERHEARD, NOWHERE, Overheard
from monitor.core.weighing.place import ServiceMemory
from monitor.core.weighing.plain_words import said_in, telling
from tests.support.streams import MACHINE, PERSON, make_event
from tests.unit.core.weighing.test_edges import in_this_order
from tests.unit.core.weighing.test_features import HOURS, act, alert

POOL = "pgbouncer pool 93% in use"


def said(text: str, at: float = 5, name: str = "said", **fields: object) -> Event:
    """In chat, where nobody says of which service."""
    return make_event("note.added", at, name, **{"service": None, "title": text, "actor": PERSON, **fields})


def answers(*events: Event) -> list[str]:
    """The notes that the last act may have answered."""
    _, found = in_this_order(*events)
    return (
        [] if found is None else [option.key.partition("\x1f")[2] for option in found.options if option.kind == "note"]
    )


def test_a_note_in_words_of_the_alert_is_about_what_is_acted_on() -> None:
    assert answers(alert(title=POOL), said("the pool creeps up, that's wrong"), act()) == ["said"]
    assert answers(alert(title=POOL), said("the printer is broken"), act()) == []
    assert answers(alert(title=POOL, service="mail"), said("the pool creeps up, that's wrong"), act()) == [], "far away"


def test_a_note_in_words_of_the_act_needs_no_alert() -> None:
    assert answers(said("something is wrong with importer 7"), act(title="restart of importer")) == ["said"]
    assert answers(said("something is wrong with importer 7"), act("rolled_back", title="cart back to 1.2")) == []


@pytest.mark.parametrize(
    ("text", "title", "about"),
    [
        ("vpn at 1455, we will hit the wall", "1455 of 1500 licensed sessions", True),
        ("vpn at 95, we will hit the wall", "95 of 100 seats", False),
        ("the 6.2 build eats memory", "Deploy of Orders release 6.2.0", True),
        ("the 6.3 build eats memory", "Deploy of Orders release 6.2.0", False),
        ("running out of GDS calls", "DailyQuotaNearlyUsed", False),
        ("quota is running out", "DailyQuotaNearlyUsed", True),
        ("some error here today", "High error rate today", False),
    ],
)
def test_what_two_events_have_to_share(text: str, title: str, about: bool) -> None:
    assert (not telling(alert(title=title)).isdisjoint(said_in(said(text)))) is about


def test_only_what_a_person_worries_about_is_kept() -> None:
    for text in ("the pool is painted blue", "we will drain the pool, nothing is wrong", "tomorrow we break the pool"):
        assert answers(alert(title=POOL), said(text), act()) == []
    assert answers(alert(title=POOL), said("the pool is broken", actor=MACHINE), act()) == []
    assert answers(alert(title=POOL), said("the pool is broken"), act("rolled_back", actor=MACHINE)) == []


@pytest.mark.parametrize(("hours", "kept"), [(4, ["said"]), (4.01, [])])
def test_a_note_waits_for_four_hours(hours: float, kept: list[str]) -> None:
    story = [said("the pool is broken", 0), alert(hours * HOURS - 1, title=POOL), act(at=hours * HOURS)]
    assert answers(*story) == kept


def test_a_note_is_placed_once_and_stays_for_others() -> None:
    net, _ = in_this_order(
        said("the pool is broken"), act(title="pool resized"), act(at=12, title="pool resized"),
        act(at=14, service="mail", title="pool resized"),
    )  # fmt: skip
    for service in ("db", "mail", NOWHERE):
        assert [sign.service for sign in net.places[service].signs] == [service]


def test_of_many_notes_the_newest_are_kept() -> None:
    many = [said("the pool is broken", n / 10, f"n{n}") for n in range(MOST_OVERHEARD + 1)]
    net, _ = in_this_order(*many, many[-1])
    assert [sign.first.id for sign in net.places[NOWHERE].signs] == [event.id for event in many[1:]]


@pytest.mark.parametrize(("text", "attached"), [("the pool creeps up, that's wrong", True), ("no paper", False)])
def test_whether_a_note_was_attached_is_said(text: str, attached: bool) -> None:
    observed = Observed()
    overheard = Overheard(observed, Catalogue())
    place = ServiceMemory("db")
    assert not overheard.attach_to(place, act(title="pool resized"), [])
    overheard.take(said(text))
    assert overheard.attach_to(place, act(title="pool resized"), []) is attached
    assert bool(place.signs) is attached
    assert not overheard.attach_to(place, act(title="pool resized"), []), "it is there"
