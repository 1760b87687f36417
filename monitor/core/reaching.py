"""Which services a step of a rule may be on, seen from another one along the dependency graph."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.catalogue import Catalogue
from monitor.core.rule import Reach


def reach(catalogue: Catalogue, service: str, how: Reach) -> frozenset[str] | None:
    """The services that a step may be on, seen from the hazard's service; None means every one."""
    if how == "any":
        return None
    if how == "same":
        return frozenset({service})
    if how == "related":
        return catalogue.neighbours(service)
    return catalogue.around(service)


def among(services: frozenset[str] | None, index: Mapping[str, object]) -> list[str]:
    """Those of some services (None: of all) that an index has, in a fixed order."""
    return sorted(index if services is None else index.keys() & services)
