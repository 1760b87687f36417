"""Where users may be hurt by what an episode cites, also where the catalogue cannot place all of it.

Nothing negative follows from a name that nobody understood: what it may mean is looked at as if it did mean it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.resolving.names import lookalikes
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
