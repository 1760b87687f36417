"""Which person acted, by any tool's id for them: by the catalogue, else by the display name or e-mail in the event.

A login stays as it is: tools share it. An id that a tool generated means nothing to another; there the display name
counts, else the e-mail, and the person gets a pseudonym. Programs keep their names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Actor, Event
from monitor.core.model.words import plain

_OPAQUE = re.compile(r"[A-Z0-9]{5,}|\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24}|\d+:[0-9a-f-]{36}")
"""Ids that a tool generated: `PX1ABCD`, `U02AB3CDE`, numbers, UUIDs. Logins are no such."""
_NAMES = ("actor_email", "actor_name")
_BEHIND = ("triggered_by", "requested_by", "initiated_by", "started_by", "triggering_actor", "deployed_by", "run_by")
"""Labels in which tools say for whom a program acted."""
TELLING = frozenset({*_NAMES, *_BEHIND})
"""Labels that tell of the actor."""
_PROGRAM = re.compile(
    r"bot\b|\[bot\]|(?:^|[-_. ])(?:ci|cd|cron|sched\w*|system|auto\w*|deployer|runner|pipeline|argocd|jenkins|flux|"
    r"terraform|actions|operator|controller|api|webhook|push|commit|manual|user)(?:$|[-_. ])",
    re.IGNORECASE,
)
"""Names of programs, and words that stand where a name could."""


def is_made_up(actor: Actor) -> bool:
    """Whether a tool made the id up, so that it names a person to nobody else."""
    return actor.id is not None and actor.kind != "automation" and _OPAQUE.fullmatch(actor.id) is not None


class People:
    """The people of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._known = {(one.source or "", one.id.casefold()): one.person for one in catalogue.people}
        self._automation = catalogue.automation
        self.are_known = bool(self._known)

    def may_be_named(self, event: Event) -> bool:
        """False where `of` is sure to be None, at the cost of a look."""
        actor = event.actor
        if actor is None:
            return False
        if actor.kind == "automation":
            return not event.labels.keys().isdisjoint(_BEHIND)
        if actor.id is None:
            return False
        return self.are_known or "@" in actor.id or "actor_email" in event.labels or "actor_name" in event.labels

    def of(self, event: Event) -> tuple[Actor, str] | None:
        """The actor as the organisation knows them, and by what; None where nothing more is known."""
        actor = event.actor
        if actor is not None and actor.kind == "automation":
            return self._behind(event)
        if actor is None or actor.id is None or actor.id in self._automation:
            return None
        return self._known_as(actor, event, event.labels)

    def _behind(self, event: Event) -> tuple[Actor, str] | None:
        """The person for whom a program acted, where the tool says so."""
        for label in _BEHIND:
            name = event.labels.get(label)
            if name and name not in self._automation and not _PROGRAM.search(name):
                person = Actor(id=name, kind="human")
                known = self._known_as(person, event, {})
                return (person, f"label {label}") if known is None else (known[0], f"label {label}, {known[1]}")
        return None

    def _known_as(self, actor: Actor, event: Event, told: Mapping[str, str]) -> tuple[Actor, str] | None:
        """`told`: the labels that may name the actor; those of a program name itself, and not whom it acted for."""
        assert actor.id is not None  # nobody is looked up who has none
        said = [actor.id, *(name for label in _NAMES if (name := told.get(label)))]
        for source in (event.source, event.source.partition("/")[0], ""):
            for name in said if self._known else ():
                if (person := self._known.get((source, name.casefold()))) is not None:
                    return None if person == actor.id else (_renamed(actor, person), "people of the catalogue")
        if not ("@" in actor.id or _OPAQUE.fullmatch(actor.id)):
            return None
        name, email = told.get("actor_name"), told.get("actor_email") or actor.id
        if name is not None and name != actor.id and "@" not in name:
            return _renamed(actor, _pseudonym(plain(name))), "display name"
        if "@" in email:
            return _renamed(actor, _pseudonym(plain(email.partition("@")[0]))), "e-mail"
        return None


def _renamed(actor: Actor, person: str) -> Actor:
    return Actor(id=person, kind=actor.kind, on_call=actor.on_call)


@lru_cache(maxsize=4096)
def _pseudonym(identity: str) -> str:
    return f"person-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"
