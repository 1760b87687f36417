"""PURE: what an OpenSLO document asks for, as raw counters: good or bad requests, all requests, and the objective."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_SELECTOR = r"[a-zA-Z_:][\w:]*(?:\{[^{}]*\})?"
_PLAIN = re.compile(rf"\s*(?P<selector>{_SELECTOR})(?:\[\w+\])?\s*", re.ASCII)
_WRAPPED = re.compile(r"\s*(?:sum|rate|increase)\s*\((?P<inner>.*)\)\s*", re.ASCII | re.DOTALL)
_MOST_WRAPPED = 3


class Indicator(msgspec.Struct, frozen=True):
    """Selectors of raw counters, of which either `good` or `bad` is there, and the objective as a ratio."""

    service: str
    requests: str
    objective: float
    good: str | None = None
    bad: str | None = None


class NoIndicator(Exception):
    """The document asks for nothing that can be counted in a Prometheus; says what was expected."""


def indicator(document: object) -> Indicator:
    """The first objective of an SLO with a `ratioMetric`. Raises NoIndicator."""
    if not isinstance(document, Mapping) or document.get("kind") != "SLO":
        raise NoIndicator("expected a document of the kind SLO")
    spec = _mapping(document, "spec")
    ratio = _mapping(_mapping(_mapping(spec, "indicator"), "spec"), "ratioMetric")
    objectives = spec.get("objectives")
    first = objectives[0] if isinstance(objectives, list) and objectives else None
    if not isinstance(first, Mapping):
        raise NoIndicator("spec.objectives: expected one objective with a target")
    service = spec.get("service")
    good, bad = ("good" in ratio, "bad" in ratio)
    if not good and not bad:
        raise NoIndicator("spec.indicator.spec.ratioMetric: expected good and total, or bad and total")
    return Indicator(
        service if isinstance(service, str) else "",
        _counter(ratio, "total"),
        _objective(first),
        _counter(ratio, "good") if good else None,
        None if good else _counter(ratio, "bad"),
    )


def _objective(found: Mapping[str, Any]) -> float:
    for key, scale in (("target", 1.0), ("targetPercent", 100.0)):
        value = found.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value / scale < 1:
            return value / scale
    raise NoIndicator("spec.objectives: expected a target such as 0.999, or a targetPercent such as 99.9")


def _counter(ratio: Mapping[str, Any], part: str) -> str:
    query = _mapping(_mapping(_mapping(ratio, part), "metricSource"), "spec").get("query")
    found = selector(query) if isinstance(query, str) else None
    if found is None:
        raise NoIndicator(
            f"ratioMetric.{part}: expected the selector of one counter, plain or within sum, rate or increase; "
            "else write the feed with clear and hurt"
        )
    return found


def selector(query: str) -> str | None:
    """The one counter that a query sums up; None where it does anything else."""
    for _ in range(_MOST_WRAPPED + 1):
        if (plain := _PLAIN.fullmatch(query)) is not None:
            return plain["selector"]
        if (wrapped := _WRAPPED.fullmatch(query)) is None:
            return None
        query = wrapped["inner"]
    return None


def _mapping(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = found.get(key)
    return value if isinstance(value, Mapping) else {}
