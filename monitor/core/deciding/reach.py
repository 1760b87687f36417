"""Where users may be hurt by what an episode cites, also where the catalogue cannot place all of it.

Nothing negative follows from a name that nobody understood: what it may mean is looked at as if it did mean it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.resolving.names import lookalikes, resemble
from monitor.core.state.memory import EVERYONE


class Reach(msgspec.Struct, frozen=True):
    """Names of services: those that depend on what is cited, all up and down from there, and those without a place.

    A name that resembles services of the catalogue reaches what these reach. `strangers` resemble none, so that they
    may belong anywhere; without a catalogue there are none, since nothing says that there is an anywhere.
    """

    scope: frozenset[str]
    along: frozenset[str]
    strangers: frozenset[str]


def reach_of(services: Iterable[str], catalogue: Catalogue) -> Reach:
    meant = set(services)
    strangers = set()
    for name in sorted(meant):
        if catalogue.is_empty or catalogue.knows(name):
            continue
        like = lookalikes(name, catalogue.names)
        meant |= like
        if not like:
            strangers.add(name)
    return Reach(
        frozenset().union(*map(catalogue.upward, meant)),
        frozenset({EVERYONE}).union(*map(catalogue.along, meant)),
        frozenset(strangers),
    )


def serves_only(name: str, scope: frozenset[str], catalogue: Catalogue) -> bool:
    """Whether all users behind a service are users of the scope: harm that people tell of it is harm to them.

    A record names what broke, which nobody outside sees; whom it hurt are those of the services that need it.
    """
    facing = catalogue.upward(name) & catalogue.facing if catalogue.knows(name) else frozenset()
    return bool(facing) and facing <= scope


def may_be_in(name: str, scope: frozenset[str], catalogue: Catalogue) -> bool:
    """Whether an unknown name may mean a service of the scope: it resembles one, or no service that is known at all."""
    if catalogue.knows(name):
        return False
    like = lookalikes(name, catalogue.names)
    if not like.isdisjoint(scope) or any(resemble(name, service) for service in scope - catalogue.names):
        return True
    return not catalogue.is_empty and not like


def sharing_users(service: str, catalogue: Catalogue) -> frozenset[str]:
    """Everything that serves one of the user-facing services which a service serves."""
    return frozenset().union(*map(catalogue.downward, catalogue.upward(service) & catalogue.facing))
