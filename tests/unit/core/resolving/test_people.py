"""One person under the ids of several tools: by the catalogue, by what the tools tell, and when not."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.catalogue import Catalogue, PersonId
from monitor.core.model.events import Actor, Event, Instant
from monitor.core.resolving.resolver import Resolver

NOBODY = Catalogue()
PEOPLE = (
    PersonId("ann", "PX1ABCD", "pagerduty"),
    PersonId("ann", "ann-x", "github"),
    PersonId("ann", "Ann Xu"),
    PersonId("bo", "PX1ABCD", "opsgenie"),
)


def acted(source: str, id: str, kind: Any = "human", **labels: str) -> Event:
    actor = Actor(id=id, kind=kind, on_call=True)
    return Event("1", source, Instant(0), "alert.acknowledged", actor=actor, labels=labels)


def person(event: Event, catalogue: Catalogue = NOBODY) -> str | None:
    seen = Resolver(catalogue).resolve(event)
    assert seen.actor is not None
    assert (seen.actor.kind, seen.actor.on_call) == (event.actor and event.actor.kind, True)
    assert ("actor" in seen.resolved_from) == (seen is not event)
    return seen.actor.id


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (acted("pagerduty/acme", "PX1ABCD"), "ann"),
        (acted("github/acme/shop", "Ann-X"), "ann"),
        (acted("jira", "5f1c", actor_name="ann xu"), "ann"),
        (acted("opsgenie", "PX1ABCD"), "bo"),
        (acted("grafana", "PX1ABCD"), "PX1ABCD"),
    ],
)
def test_the_catalogue_says_who_is_who(event: Event, name: str) -> None:
    assert person(event, Catalogue(people=PEOPLE)) == name


@pytest.mark.parametrize(
    "label", ["triggered_by", "requested_by", "initiated_by", "started_by", "triggering_actor", "deployed_by", "run_by"]
)
def test_whoever_pressed_the_button_acted_and_not_the_program(label: str) -> None:
    seen = Resolver(NOBODY).resolve(acted("argocd", "argocd-bot", "automation", **{label: "annx"}))
    assert seen.actor == Actor("annx", "human")
    assert seen.resolved_from == {"actor": f"label {label}"}
    known = Resolver(Catalogue(people=(PersonId("ann", "annx"),)))
    assert known.resolve(acted("argocd", "bot", "automation", **{label: "annx"})).actor == Actor("ann", "human")


@pytest.mark.parametrize(
    "name", ["release-bot", "renovate[bot]", "ci", "scheduler", "github-actions", "argocd-image-updater", "webhook", ""]
)
def test_a_program_behind_a_program_is_nobody(name: str) -> None:
    event = acted("argocd", "argocd-bot", "automation", triggered_by=name)
    assert Resolver(NOBODY).resolve(event) is event


def test_a_program_is_nobody_and_keeps_its_name() -> None:
    known = Catalogue(people=(PersonId("ann", "deploy-bot"),), automation=frozenset({"deploy-bot"}))
    assert person(acted("github", "deploy-bot"), known) == "deploy-bot"
    assert person(acted("github", "deploy-bot", "automation"), known) == "deploy-bot"


def test_ids_that_tools_made_up_are_joined_by_the_name_that_both_tell() -> None:
    pager = person(acted("pagerduty", "PX1ABCD", actor_name="Dev One"))
    assert pager is not None
    assert pager.startswith("person-")
    assert person(acted("jira", "5b10ac8d82e05b22cc7d4ef5", actor_name="dev one")) == pager
    assert person(acted("launchdarkly", "dev.one@shop.example")) == pager
    assert person(acted("sentry", "4711", actor_email="Dev-One@shop.example")) == pager
    assert person(acted("pagerduty", "PX2", actor_name="Dev Two")) != pager


def test_a_login_stays_and_so_does_an_id_without_a_name() -> None:
    assert person(acted("gitlab", "dev-one", actor_name="Dev One")) == "dev-one"
    assert person(acted("pagerduty", "PX1ABCD")) == "PX1ABCD"
    assert person(acted("pagerduty", "PX1ABCD", actor_name="PX1ABCD")) == "PX1ABCD"
