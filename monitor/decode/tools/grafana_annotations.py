"""Grafana's annotations (`GET /api/annotations`): what people and scripts wrote on dashboards.

Tags tell what happened; those of the form `name:value` are labels. Annotations of Grafana's own alerts are left out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from monitor.core.model.events import Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import who
from monitor.decode.reading import Delivery, first, make, mapping, not_the_shape, person_or_bot, sequence, text
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time
from monitor.decode.tools import alertmanager

_KINDS: dict[Kind, frozenset[str]] = {
    "change.rolled_back": frozenset({"rollback", "rolled-back", "revert", "undo"}),
    "change.deployed": frozenset({"deploy", "deploys", "deployment", "deployed", "release", "rollout"}),
    "change.configured": frozenset({"config", "configuration", "config-change", "settings"}),
    "change.flag_set": frozenset({"flag", "feature-flag", "featureflag", "toggle"}),
    "change.restarted": frozenset({"restart", "restarted", "reboot"}),
    "change.scaled": frozenset({"scale", "scaled", "scaling", "resize"}),
    "change.failed_over": frozenset({"failover", "switchover"}),
    "change.ran": frozenset({"change", "migration", "job", "script", "manual"}),
    "maintenance.started": frozenset({"maintenance", "downtime"}),
}
"""The first kind that a tag names; without one it is a note."""
_NAMED = re.compile(r"([A-Za-z][\w.-]{0,60})\s*[:=]\s*(\S.*)")
_MARKUP = re.compile(r"<[^<>]{0,200}>")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The annotations of an answer, or one of them. Raises Unreadable."""
    found = [body] if isinstance(body, dict) else body
    if not isinstance(found, list) or (isinstance(body, dict) and "text" not in body):
        raise not_the_shape("what GET /api/annotations answers: an array", body)
    return found


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one annotation. Raises Unreadable or NoEvent."""
    found = mapping(piece)
    identity = text(found.get("id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "id is missing; every annotation of Grafana has one")
    if found.get("alertId") or text(found.get("alertName")):
        raise NoEvent(Ignored.NOT_RELEVANT, "Grafana wrote it about an alert, which has a webhook of its own")
    tags = [tag for tag in map(text, sequence(found.get("tags"))) if tag]
    labels = {match[1]: match[2].strip() for tag in tags if (match := _NAMED.fullmatch(tag))}
    plain = [tag for tag in tags if not _NAMED.fullmatch(tag)]
    kind = _kind(plain)
    words = {word for named in _KINDS.values() for word in named}
    names = [tag for tag in plain if tag.lower() not in words]
    said = " ".join(html.unescape(_MARKUP.sub(" ", text(found.get("text")) or "")).split())
    ends = tool_time(found.get("timeEnd"), "timeEnd")
    began = tool_time(found.get("time"), "time")
    actor, person = who(found.get("userId") or None, first(found, ("login", "userName", "email")))
    if actor is not None and actor.kind == "unknown":
        actor = person_or_bot(actor.id, "human")
    return [
        make(
            delivery,
            id=identity,
            kind=kind,
            time=began,
            service=alertmanager.service_of(labels),
            environment=alertmanager.environment_of(labels),
            subject=f"annotation/{identity}",
            title=said or ", ".join(tags) or "an annotation",
            actor=actor,
            # The catalogue decides whether a plain tag is the name of a service.
            labels={**person, **labels, "tags": ",".join(tags), "workload": names[0] if names else None},
            expires_at=ends[0] if ends and began and ends[0] > began[0] else None,
        )
    ]


def _kind(tags: Sequence[str]) -> Kind:
    said = {tag.lower() for tag in tags}
    return next((kind for kind, words in _KINDS.items() if words & said), "note.added")


_SAMPLE = """[{"id": 1124, "alertId": 0, "dashboardUID": "", "panelId": 0, "userId": 7, "login": "dev-one",
 "created": 1773144060000, "updated": 1773144060000, "time": 1773144000000, "timeEnd": 1773144000000,
 "text": "payments <b>2.14</b> to production", "tags": ["deploy", "service:payments", "env:production"]}]"""

_SETUP = """
Grafana sends nothing by itself; nearmiss asks it each minute. Create a service account with the role *Viewer* and a
token, and add to `nearmiss.yaml`:

```yaml
pulls:
  - {tool: grafana, url: "https://grafana.example", authorization: "Bearer glsa_…"}
```

What was written during a downtime is read afterwards, for up to a week.
"""

TOOL = Tool(
    name="grafana-annotations",
    title="Grafana annotations",
    tells="deploys, maintenance and notes that people and scripts put on dashboards",
    kinds=(*_KINDS, "note.added"),
    sample=Sample(_SAMPLE, ("change.deployed",)),
    setup=_SETUP,
    limits=(
        "Tags tell the kind (`deploy`, `rollback`, `config`, `restart`, …); without one it is a note.",
        "A later correction of an annotation is not seen.",
    ),
    split=split,
    read=read,
)
