"""Flagger: how a canary goes forward, halts, is promoted or rolled back, by its event webhook."""

from __future__ import annotations

import re
from typing import Any, Literal

from monitor.core.model.events import Actor, Bound, Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import Delivery, digest, make, mapping, not_the_shape, quantity, text
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_GATE: Literal["gate"] = "gate"
"""A step that is neither an event nor one of the unknown."""
_BY_HAND = re.compile(r"\bmanual", re.IGNORECASE)
_WORDS: tuple[tuple[re.Pattern[str], Kind | Literal["gate"] | None], ...] = (
    (re.compile(r"rolling back|canary failed", re.IGNORECASE), "change.held"),
    (re.compile(r"halt.{0,200}waiting for (?:promotion )?approval|waiting for approval", re.IGNORECASE), _GATE),
    (re.compile(r"halt|failed|no values found|not ready", re.IGNORECASE), "alert.fired"),
    (re.compile(r"new revision detected|starting canary|initialization done", re.IGNORECASE), "change.started"),
    (re.compile(r"promotion completed", re.IGNORECASE), "change.deployed"),
    (re.compile(r"manual|waiting for approval|confirm", re.IGNORECASE), None),
)
_PHASES: dict[str, Kind] = {"Succeeded": "change.deployed", "Failed": "change.held", "Terminated": "change.deleted"}
_NUMBER = r"-?[\d.]{1,24}\s{0,4}[a-zA-Z%]{0,20}"
# Bounded: a message may be long, and each of its digits may begin a number.
_MARGIN = re.compile(rf"(?P<seen>{_NUMBER})\s{{0,4}}(?P<sign>[<>])\s{{0,4}}(?P<limit>{_NUMBER})")

_CHECK = re.compile(r"advancement (?P<check>[a-zA-Z][\w -]{0,60}?) -?\d")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event. Raises Unreadable."""
    found = mapping(body)
    if "phase" not in found and "eventMessage" not in mapping(found.get("metadata")):
        raise not_the_shape("a body of Flagger with name, namespace and phase", body)
    return [found]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one body. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    name, namespace, phase = text(body.get("name")), text(body.get("namespace")), text(body.get("phase")) or ""
    metadata = mapping(body.get("metadata"))
    message, at = text(metadata.get("eventMessage")), tool_time(metadata.get("timestamp"), "metadata.timestamp")
    kind = _kind(phase, message, text(metadata.get("eventType")) == "Warning")
    by_hand = kind == "change.held" and _BY_HAND.search(message or "") is not None
    value, limit, unit, bound = _margin(message) if kind == "alert.fired" else (None, None, None, None)
    return [
        make(
            delivery,
            id=digest(name, namespace, phase, message, body.get("checksum"), metadata.get("timestamp")),
            kind=kind,
            time=at,
            service=name,
            environment=text(metadata.get("environment")) or text(metadata.get("env")),
            subject="/".join(filter(None, ("canary", namespace, name))),
            severity="warning" if kind == "alert.fired" else None,
            title=message or f"canary {name}: {phase}",
            # Somebody called for the rollback at the gate; Flagger does not know who.
            actor=Actor(kind="human") if by_hand else Actor(id="flagger", kind="automation"),
            labels={
                **{
                    key: item for key, item in metadata.items() if key not in ("eventMessage", "eventType", "timestamp")
                },
                "namespace": namespace,
                "phase": phase,
                "stage": "canary",
                "check": _check(message) if kind == "alert.fired" else None,
                "version": text(body.get("checksum")),
            },
            value=value,
            limit=limit,
            unit=unit,
            bound=bound,
        )
    ]


def _kind(phase: str, message: str | None, is_warning: bool) -> Kind:
    """The words say which step it was; without words only the phases that end a canary say something."""
    for words, kind in _WORDS if message else ():
        if words.search(message or ""):
            if kind == _GATE:
                raise NoEvent(Ignored.NOT_RELEVANT, "a canary waits for the approval that its author asked for")
            if kind is None or (kind == "alert.fired" and not is_warning):
                break
            return kind
    if phase in _PHASES and not message:
        return _PHASES[phase]
    if is_warning:
        return "alert.fired"
    raise NoEvent(Ignored.NOT_RELEVANT, f"phase {phase:.40}: a step of a canary on its way")


def _check(message: str | None) -> str | None:
    """Which check of the analysis held the canary up: `advancement success rate 69.17% < 99%`."""
    found = _CHECK.search(message or "")
    return found["check"] if found else None


def _margin(message: str | None) -> tuple[float | None, float | None, str | None, Bound | None]:
    """`success rate 69.17% < 99%`: what was seen and the limit, where both have the same unit."""
    found = _MARGIN.search(message or "")
    seen, limit = (quantity(found["seen"]), quantity(found["limit"])) if found else (None, None)
    if found is None or seen is None or limit is None or seen[1] != limit[1]:
        return None, None, None, None
    return seen[0], limit[0], "percent" if seen[1] == "%" else seen[1], "min" if found["sign"] == "<" else "max"


_SAMPLE = """{"name": "payments", "namespace": "shop", "phase": "Failed", "checksum": "85d557f47b", "metadata": {
 "eventMessage": "Rolling back payments.shop failed checks threshold reached 5", "eventType": "Warning",
 "timestamp": "1773144000000"}}"""

_SETUP = """
In each `Canary`, or once for all with `-event-webhook=http://nearmiss:8080/ingest/flagger` among Flagger's arguments:

```yaml
spec:
  analysis:
    webhooks:
      - {name: nearmiss, type: event, url: "http://nearmiss:8080/ingest/flagger", metadata: {environment: production}}
```
"""

TOOL = Tool(
    name="flagger",
    title="Flagger",
    tells="canaries that were promoted, halted or rolled back",
    kinds=("alert.fired", "change.started", "change.deployed", "change.held", "change.deleted"),
    sample=Sample(_SAMPLE, ("change.held",)),
    setup=_SETUP,
    limits=("A canary that is rolled back is *held*: it never reached all users.", "Flagger sends no secret."),
    split=split,
    read=read,
)
