"""Prometheus' own notifications, as it sends them to an Alertmanager (`POST /api/v2/alerts`): every alert, ungrouped.

An alert that stands is sent again each minute, with an end some minutes ahead; one that recovered with the true end.
"""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import Event
from monitor.core.model.reasons import Rejected
from monitor.decode.outcome import Unreadable
from monitor.decode.reading import Delivery, mapping, moment, not_the_shape
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools import alertmanager


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The alerts of one notification; also those of the older `/api/v1/alerts`, which has the same form."""
    found = mapping(body).get("alerts", body)
    if not isinstance(found, list):
        raise not_the_shape("an array of alerts with labels and startsAt, as Prometheus posts them", body)
    return found


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one alert, with the identity that the Alertmanager's webhook gives it. Raises as that does."""
    if not isinstance(piece, dict) or not isinstance(piece.get("labels"), dict):
        raise not_the_shape("an alert with labels and startsAt", piece)
    ends = moment(piece.get("endsAt"), "endsAt")
    if ends is not None and delivery.received_at is None:
        raise Unreadable(
            Rejected.MISSING_FIELD, "the time of receipt is unknown; endsAt tells a recovery only compared with it"
        )
    resolved = ends is not None and delivery.received_at is not None and ends[0] <= delivery.received_at
    status = "resolved" if resolved else "firing"
    return alertmanager.read(({**piece, "status": status, "fingerprint": None}, {}), delivery)


_SAMPLE = """[{"labels": {"alertname": "ErrorRate", "service": "payments", "env": "production", "severity": "critical"},
 "annotations": {"summary": "1 of 20 payments fails"}, "startsAt": "2026-03-10T11:58:00Z",
 "endsAt": "2026-03-10T11:59:00Z", "generatorURL": "http://prometheus.example/graph?g0.expr=errors+%3E+0.05"}]"""

_SETUP = """
Add one more Alertmanager to `prometheus.yml`. Paging is not touched: Prometheus sends to each of them by itself.

```yaml
alerting:
  alertmanagers:
    # … yours
    - static_configs: [{targets: ["nearmiss:8080"]}]
      path_prefix: /ingest/prometheus     # posts to /ingest/prometheus/api/v2/alerts
      authorization: {credentials: the-secret}
```

`POST /api/v2/alerts` without a prefix works too, and several servers keep apart with a name behind it
(`/ingest/prometheus/eu-1`). The answer is that of an Alertmanager: 200, 400 for a body that is none, 500 when nothing
can be stored, upon which Prometheus sends again.
"""

TOOL = Tool(
    name="prometheus",
    title="Prometheus",
    tells="every alert and its true end, silenced and inhibited ones too",
    kinds=("alert.fired", "alert.resolved"),
    sample=Sample(_SAMPLE, ("alert.resolved",)),
    setup=_SETUP,
    limits=(
        "Nobody who acknowledged, silenced or was paged: the Alertmanager and the paging tool tell that.",
        "The clocks of both sides are compared to tell a recovery; some seconds apart do no harm.",
    ),
    split=split,
    read=read,
)
