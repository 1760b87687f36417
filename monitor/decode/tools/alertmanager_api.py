"""What an Alertmanager's API answers, of any version with API v2: alerts with what mutes them, and silences.

`GET /api/v2/alerts` and `GET /api/v2/silences` give arrays; a job that passes them on each minute shows what paging
never showed, without the event recorder. The same answer again gives the same events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, to_text
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import Delivery, make, mapping, moment, not_the_shape, sequence, text
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools import alertmanager, alertmanager_events


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The alerts or silences of an answer, or one of them. Raises Unreadable."""
    found = [body] if isinstance(body, dict) else body
    if not isinstance(found, list) or (isinstance(body, dict) and not {"labels", "matchers"} & body.keys()):
        raise not_the_shape("what GET /api/v2/alerts or /api/v2/silences answers: an array", body)
    return found


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The events of one alert or silence. Raises Unreadable or NoEvent."""
    found = mapping(piece)
    status = mapping(found.get("status"))
    if isinstance(found.get("matchers"), list):
        if text(status.get("state")) == "expired":
            raise NoEvent(Ignored.NOT_RELEVANT, "a silence that is over")
        return [alertmanager_events.silence(_as_recorded(found), None, delivery)]
    if not isinstance(found.get("labels"), dict):
        raise not_the_shape("an alert with labels and status, or a silence with matchers", piece)
    (fired,) = alertmanager.read(({**found, "status": "firing"}, {}), delivery)
    causes = [("silence", by) for by in map(text, sequence(status.get("silencedBy"))) if by]
    causes += [("inhibition", by) for by in map(text, sequence(status.get("inhibitedBy"))) if by]
    return [fired, *(_muted(found, fired, by, how, delivery) for how, by in causes)]


def _muted(alert: Mapping[str, Any], fired: Event, by: str, how: str, delivery: Delivery) -> Event:
    """One event for each alert, its beginning, and what mutes it. Who made the silence is said by the silence."""
    name = fired.labels.get("alertname", "an alert")
    return make(
        delivery,
        id="/".join(filter(None, (how, by, fired.subject, to_text(fired.time)))),
        kind="alert.silenced",
        time=moment(alert.get("updatedAt"), "updatedAt"),
        service=fired.service,
        environment=fired.environment,
        subject=fired.subject,
        severity=fired.severity,
        title=f"{'silenced' if how == 'silence' else 'inhibited'}: {name}",
        actor=Actor(kind="automation") if how == "inhibition" else None,
        labels={**fired.labels, "silence" if how == "silence" else "inhibited_by": by},
    )


def _as_recorded(silence: Mapping[str, Any]) -> dict[str, Any]:
    """A silence of the API in the form in which the event recorder has it."""
    matchers = []
    for one in map(mapping, sequence(silence.get("matchers"))):
        is_regex, is_equal = one.get("isRegex") is True, one.get("isEqual") is not False
        name, value = text(one.get("name")), text(one.get("value"))
        sign = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}[is_regex, is_equal]
        kind = "TYPE_EQUAL" if sign == "=" else "TYPE_OTHER"
        matchers.append({"type": kind, "name": name, "pattern": value, "rendered": f'{name}{sign}"{value}"'})
    return {**silence, "matchers": matchers}


_SAMPLE = """[{"id": "0c6d3a1e", "status": {"state": "active"}, "startsAt": "2026-03-10T11:00:00Z",
 "endsAt": "2026-03-10T15:00:00Z", "updatedAt": "2026-03-10T11:00:00Z", "createdBy": "dev-one",
 "comment": "noisy while we migrate",
 "matchers": [{"name": "service", "value": "payments", "isRegex": false, "isEqual": true}]}]"""

_SETUP = """
For an Alertmanager without the event recorder: a job that passes on each minute what its API answers.

```sh
for what in silences alerts; do
  curl -fsS "http://alertmanager:9093/api/v2/$what" |
    curl -fsS http://nearmiss:8080/ingest/alertmanager-api -H 'authorization: Bearer the-secret' \\
      -H 'content-type: application/json' --data-binary @-
done
```
"""

TOOL = Tool(
    name="alertmanager-api",
    title="Alertmanager API",
    tells="silences with who and why, and which alerts they mute",
    kinds=("alert.fired", "alert.silenced"),
    sample=Sample(_SAMPLE, ("alert.silenced",)),
    setup=_SETUP,
    limits=(
        "What began and ended between two answers is not seen, and recoveries are not part of the answer.",
        "Use the webhook, or Prometheus itself, for recoveries.",
    ),
    split=split,
    read=read,
)
