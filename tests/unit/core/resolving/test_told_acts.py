"""Notes in which a person says what they did: what kind of change that is, and what tells none."""

from __future__ import annotations

import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.decisions import Open
from monitor.core.model.events import Actor, Event, Instant
from monitor.core.model.near_miss import Draft
from monitor.core.resolving.resolver import Resolver
from monitor.core.resolving.told_acts import MOST_SAID, act_told
from monitor.core.weighing.weights import reasoned
from monitor.packs.language.regex import make_regex
from tests.support.shipped import read_shipped
from tests.support.streams import MACHINE, PERSON, acted_rule, clear_feed, make_event, new_engine, run, shop

SHOP = Catalogue({"bridge": Service("bridge", user_facing=True)})


def note(title: str, service: str | None = "bridge", actor: Actor | None = PERSON, id: str = "n1") -> Event:
    return Event(id, "slack", Instant(0), "note.added", service=service, title=title, actor=actor)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("restarted the channel", "change.restarted"),
        ("bridge: moved the broken message to the error folder", "change.ran"),
        ("one message blocks it, so I dropped the old archive. 60 GB free again", "change.ran"),
        ("purged binary logs, replica is fine", "change.ran"),
        ("we've failed over to b", "change.failed_over"),
        ("I have rolled back the last one", "change.rolled_back"),
        ("looked at it and then scaled it to 12", "change.scaled"),
        ("renewed the certificate by hand", "change.rotated"),
        ("restored the row from the copy", "change.restored"),
        ("turned off the importer (it was stuck)", "change.configured"),
        ("Restarted it. It will be fine.", "change.restarted"),
        ("stopped the resend on the console, then waited", "change.ran"),
        ("extended the volume by 4 TB", "change.scaled"),
        ("Removed snapshots pre-mig-1 and pre-mig-2 by hand", "change.ran"),
        ("deleted 41G of old logs", "change.ran"),
    ],
)
def test_a_person_says_what_they_did(title: str, kind: str) -> None:
    assert act_told(note(title)) == kind


@pytest.mark.parametrize(
    "title",
    [
        "I will restart the channel",
        "restarted it?",
        "if I restarted it now it would be lost",
        "removed Tom from the meeting",
        "moved by automation",
        "has anybody restarted it",
        "the channel restarted itself",
        "restarted last week, same thing",
        "we have not restarted anything",
        "the restarted channel is slow",
        "looks odd",
        "moved to Friday",
        "prices raised by two percent",
        "cleared by legal",
        "stopped working at noon",
        "extended to Friday",
        "reverted gift cards on my branch only",
        "restarted it on dev",
        "killed the seed job in staging",
        "rolled back locally",
        "x" * MOST_SAID + ". Restarted it",
    ],
)
def test_what_tells_no_act(title: str) -> None:
    assert act_told(note(title)) is None


def test_only_a_person_on_a_service_tells_an_act() -> None:
    assert act_told(note("restarted it", actor=None)) is None
    assert act_told(note("restarted it", actor=MACHINE)) is None
    assert act_told(note("restarted it", service=None)) is None
    assert act_told(make_event("alert.acknowledged", 0, "k", title="restarted it", actor=PERSON)) is None


def test_the_act_stands_beside_the_note_and_has_an_identity_of_its_own() -> None:
    told, act = Resolver(SHOP).all([note("restarted it")])
    assert (told.kind, act.kind, act.id) == ("note.added", "change.restarted", "act/n1")
    assert (act.source, act.time, act.service, act.actor, act.title) == ("slack", 0, "bridge", told.actor, told.title)
    assert act.resolved_from == {"kind": "a note says that it was done"}
    long = Resolver(SHOP).all([note("restarted it", id="x" * 255)])[1]
    assert len(long.id) < 100


def test_a_note_is_no_sign_for_the_act_that_it_tells() -> None:
    """Else whoever writes that they restarted something would have answered their own note."""
    alone = [make_event("note.added", 70, "n", title="the shop was slow, restarted it", actor=PERSON)]
    assert opened([*alone, *clear_feed("shop", 0, 600)]) == []
    said = make_event("note.added", 60, "m", title="the shop is slow, odd", actor=PERSON)
    (draft,) = opened([said, *alone, *clear_feed("shop", 0, 600)])
    assert [cited.event.id for cited in draft.evidence if cited.role == "hazard"] == ["m"]


def test_a_note_does_not_say_which_change_it_took_back() -> None:
    stream = [
        make_event("change.deployed", 0, "d", labels={"version": "2"}, actor=PERSON),
        make_event("note.added", 70, "n", title="rolled back the colour", actor=PERSON),
        *clear_feed("shop", 0, 600),
    ]
    assert opened(stream) == []


def opened(stream: list[Event]) -> list[Draft]:
    ordered = sorted(stream, key=lambda event: (event.time, event.source, event.id))
    rules = read_shipped()
    engine = Engine(rules, shop(), make_regex, EngineSettings(weights=reasoned()))
    return [made.draft for made in [*engine.step(ordered), *engine.end()] if isinstance(made, Open)]


def test_a_story_whose_act_only_a_note_tells_is_found() -> None:
    stream = [
        make_event("alert.fired", 60, "a", subject="disk", severity="high"),
        make_event("note.added", 70, "n", title="scaled it to twice the size", actor=PERSON),
        make_event("alert.resolved", 75, "b", subject="disk"),
        *clear_feed("shop", 0, 600),
    ]
    ordered = sorted(stream, key=lambda event: (event.time, event.source, event.id))
    opened = [made.draft for made in run(new_engine([acted_rule()]), ordered) if isinstance(made, Open)]
    (draft,) = opened
    assert [cited.event.id for cited in draft.evidence if cited.role == "intervention"] == ["act/n"]


@pytest.mark.parametrize(("length", "kept"), [(251, True), (252, False)])
def test_the_identity_of_an_act_is_the_notes_where_it_fits(length: int, kept: bool) -> None:
    """255 characters at most, `act/` among them; a longer one is hashed."""
    act = Resolver(SHOP).all([note("restarted it", id="x" * length)])[1]
    assert (act.id == "act/" + "x" * length) is kept
    assert len(act.id) <= 255
