"""What an Alertmanager's API answers, of any version with API v2: alerts with what mutes them, and silences.

`GET /api/v2/alerts` and `GET /api/v2/silences` give arrays; asked each minute they show what paging never showed,
without the event recorder. The same answer again gives the same events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitor.core.model.events import Actor, Event, to_text
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import (
    Delivery,
    Moment,
    make,
    mapping,
    moment,
    not_the_shape,
    person_or_bot,
    sequence,
    text,
)
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools import alertmanager, alertmanager_events

_MOST_CAUSES = 100
"""Of each kind that are read of one alert: each makes an event with all labels of it."""


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The alerts or silences of an answer, one of them, or both answers together. Raises Unreadable."""
    if isinstance(body, dict) and isinstance(body.get("silences"), list) and isinstance(body.get("alerts"), list):
        return _together(body)
    found = [body] if isinstance(body, dict) else body
    if not isinstance(found, list) or (isinstance(body, dict) and not {"labels", "matchers"} & body.keys()):
        raise not_the_shape("what GET /api/v2/alerts or /api/v2/silences answers: an array", body)
    return found


def _together(body: dict[str, Any]) -> list[Any]:
    """Each silence as it stands, and each alert with the silences that mute it.

    A silence that is over counts where it ended after `since`: nobody had asked in between.
    """
    since = moment(body.get("since"), "since")
    silences = [mapping(one) for one in body["silences"]]
    by_id = {known: one for one in silences if (known := text(one.get("id"))) is not None}
    missed = [_missed(one, since) for one in silences]
    return [*missed, *(_Muted(mapping(alert), by_id) for alert in body["alerts"])]


class _Muted(msgspec.Struct, frozen=True):
    alert: dict[str, Any]
    silences: dict[str, dict[str, Any]]


def _missed(silence: dict[str, Any], since: Moment | None) -> dict[str, Any]:
    status = mapping(silence.get("status"))
    ends, updated = moment(silence.get("endsAt"), "endsAt"), moment(silence.get("updatedAt"), "updatedAt")
    if text(status.get("state")) != "expired" or since is None or ends is None or ends[0] <= since[0]:
        return silence
    # One that a person ended was changed at its end; when it was made is its beginning.
    made = silence.get("startsAt") if updated is None or updated[0] >= ends[0] else silence.get("updatedAt")
    return {**silence, "updatedAt": made, "status": {"state": "missed"}}


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The events of one alert or silence. Raises Unreadable or NoEvent."""
    silences = piece.silences if isinstance(piece, _Muted) else {}
    found = piece.alert if isinstance(piece, _Muted) else mapping(piece)
    status = mapping(found.get("status"))
    if isinstance(found.get("matchers"), list):
        if text(status.get("state")) == "expired":
            raise NoEvent(Ignored.NOT_RELEVANT, "a silence that is over")
        return [alertmanager_events.silence(_as_recorded(found), None, delivery)]
    if not isinstance(found.get("labels"), dict):
        raise not_the_shape("an alert with labels and status, or a silence with matchers", piece)
    silenced, inhibited = (sequence(status.get(name))[:_MOST_CAUSES] for name in ("silencedBy", "inhibitedBy"))
    (fired,) = alertmanager.read(({**found, "status": "firing"}, {}), delivery)
    causes = [("silence", by) for by in map(text, silenced) if by]
    causes += [("inhibition", by) for by in map(text, inhibited) if by]
    return [fired, *(_muted(found, fired, (how, by), silences.get(by, {}), delivery) for how, by in causes)]


def _muted(
    alert: Mapping[str, Any], fired: Event, cause: tuple[str, str], silence: Mapping[str, Any], delivery: Delivery
) -> Event:
    """One event for each alert, its beginning, and what mutes it; with who, why and until when where that is known."""
    how, by = cause
    ends = moment(silence.get("endsAt"), "endsAt")
    said = {"silenced_by": text(silence.get("createdBy")), "comment": text(silence.get("comment"))}
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
        actor=Actor(kind="automation") if how == "inhibition" else person_or_bot(said["silenced_by"], "human"),
        labels={**fired.labels, **said, "silence" if how == "silence" else "inhibited_by": by},
        expires_at=ends[0] if ends else None,
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
For an Alertmanager without the event recorder, of any version from 0.16 on: nearmiss asks it each minute. Add to
`nearmiss.yaml`:

```yaml
pulls:
  - {tool: alertmanager, url: "http://alertmanager:9093"}
```

Replicas of one cluster may each have an entry: they give the same events. `name` keeps clusters apart. Silences that
began and ended while nearmiss was down are read afterwards, as long as the Alertmanager remembers them.
"""

TOOL = Tool(
    name="alertmanager-api",
    title="Alertmanager API",
    tells="silences with who and why, and which alerts they mute",
    kinds=("alert.fired", "alert.silenced"),
    sample=Sample(_SAMPLE, ("alert.silenced",)),
    setup=_SETUP,
    limits=(
        "An alert that was muted between two answers is not seen, and recoveries are not part of the answer.",
        "Use the webhook, or Prometheus itself, for recoveries.",
    ),
    split=split,
    read=read,
)
