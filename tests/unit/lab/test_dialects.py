"""Each dialect changes what it says and nothing else."""

from __future__ import annotations

import pytest

from monitor.core.model.catalogue import Alias, Catalogue, Service
from monitor.core.model.events import Actor, Event, Instant
from monitor.lab.dialects import DIALECTS, Dialect, other_name

BY_KEY = {dialect.key: dialect for dialect in DIALECTS}


def event(**fields: object) -> Event:
    given = {"id": "e1", "source": "pagerduty/acme", "time": Instant(1), "kind": "alert.fired", **fields}
    return Event(**given)  # type: ignore[arg-type]


def spoken(key: str, said: Event) -> Event:
    (found,) = BY_KEY[key].speak([said])
    return found


def test_a_person_has_another_id_in_each_tool_and_the_same_within_one() -> None:
    ana = Actor("ana", "human", on_call=True)
    there, here = event(actor=ana), event(source="github/acme", actor=ana)
    made = spoken("people", there).actor
    assert made is not None
    assert (made.kind, made.on_call) == ("human", True)
    assert made != spoken("people", here).actor
    assert made == spoken("people", event(id="e2", source="pagerduty/other", actor=ana)).actor
    assert spoken("people", event(actor=Actor("bot", "automation"))).actor == Actor("bot", "automation")


def test_only_notes_lose_their_severity() -> None:
    assert spoken("notes", event(kind="note.added", severity="high")).severity is None
    assert spoken("notes", event(severity="high")).severity == "high"


def test_labels_of_nobody_else_go() -> None:
    labels = {"version": "4", "namespace": "shop", "peers": "normal"}
    assert spoken("labels", event(labels=labels)).labels == {"version": "4", "namespace": "shop"}


def test_a_recovery_is_told_by_nobody() -> None:
    assert BY_KEY["no-resolves"].speak([event(kind="alert.resolved"), event(kind="alert.cancelled")]) == [
        event(kind="alert.cancelled")
    ]


def test_who_acted_is_unknown_or_a_bot() -> None:
    ana = event(kind="change.restarted", actor=Actor("ana", "human"))
    assert spoken("unknown-actors", ana).actor == Actor()
    assert spoken("all-automation", ana).actor == Actor("pagerduty-bot", "automation")
    assert spoken("all-automation", event()).actor is None


def test_each_tool_has_its_own_name_for_a_service() -> None:
    names = {other_name(tool, "basket-api") for tool in ("pagerduty", "github", "kubernetes", "alertmanager", "chat")}
    assert len(names) > 2
    renamed = spoken("aliases", event(service="basket-api", labels={"scope": "basket-api, menu-web"}))
    assert renamed.service == other_name("pagerduty", "basket-api")
    assert renamed.labels["scope"].split(",")[1] == other_name("pagerduty", "menu-web")


def test_what_a_tool_called_a_service_before_is_an_alias_under_its_new_name() -> None:
    """Two tools with names of their own: the new name of each old one leads to the service, from that tool alone."""
    old = Alias("basket-api", "source", "Basket (prod)", "pagerduty")
    catalogue = Catalogue(services={"basket-api": Service("basket-api")}, aliases=(old,))
    told = BY_KEY["aliases"].recatalogue(catalogue, frozenset({"pagerduty", "github"})).aliases
    assert set(told) == {
        old,
        Alias("basket-api", "source", other_name("pagerduty", "Basket (prod)"), "pagerduty"),
        Alias("basket-api", "source", other_name("pagerduty", "basket-api"), "pagerduty"),
        Alias("basket-api", "source", other_name("github", "basket-api"), "github"),
    }
    assert BY_KEY["no-aliases"].recatalogue(catalogue, frozenset()).aliases == ()


def test_a_tenth_is_lost_always_the_same_one() -> None:
    many = [event(id=f"e{number}") for number in range(5_000)]
    left = BY_KEY["lossy"].speak(many)
    assert 0.88 < len(left) / len(many) < 0.92
    assert BY_KEY["lossy"].speak(many) == left


def test_a_severity_is_a_word_in_a_label() -> None:
    said = spoken("words", event(severity="critical", labels={"version": "1"}))
    assert (said.severity, said.labels) == (None, {"version": "1", "severity": "SEV_1"})
    assert spoken("words", event()) == event()


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.key)
def test_identity_and_time_stay(dialect: Dialect) -> None:
    said = event(severity="high", service="a", actor=Actor("ana", "human"), labels={"x": "y"})
    for found in dialect.speak([said]):
        assert (found.event_id, found.time, found.kind) == (said.event_id, said.time, said.kind)
