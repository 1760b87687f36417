"""PURE: one PromQL query a feed, whose series name the parts that `states` judges.

Everything rests on raw series: a recorded ratio alone calls an idle service and a dead exporter well.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.model.events import SECOND
from monitor.feeds.states import FeedName, Limits

WINDOW = "5m"
PART = "nearmiss_part"
MOST_STEPS = 360
"""Of one request."""
SETTLE = 30 * SECOND
"""Scrapes and recording rules of a step have arrived after so long."""

Tool = Literal["prometheus", "datadog", "google", "checkly", "statuspage"]


class AlertingRule(msgspec.Struct, frozen=True):
    """The alerting rule whose silence means that users are fine: its name, and matchers of its series."""

    alert: str
    match: str = ""


class PulledFeed(msgspec.Struct, frozen=True):
    """One feed, ready to be asked. `step` is in microseconds.

    `query` is PromQL, or what the other tools call the thing: the id of an SLO or a check, a component's name.
    `authorization_file` holds the Authorization header, and is read anew for each request. `most` steps are asked for
    in one request, and only what is older than `settle`.
    """

    name: FeedName
    address: str
    query: str
    step: int
    limits: Limits
    headers: dict[str, str] = {}
    tool: Tool = "prometheus"
    rule: AlertingRule | None = None
    authorization_file: str | None = None
    most: int = MOST_STEPS
    settle: int = SETTLE


def blackbox(match: str) -> dict[str, str]:
    """Probes: all of the last five minutes succeeded, or the newest of one target failed."""
    return _status(f"probe_success{match}")


def sloth(match: str, requests: str) -> dict[str, str]:
    """The burn rate that Sloth records, with the raw counter behind it."""
    return {"burn": f"max(slo:current_burn_rate:ratio{match})", **raw(requests)}


def pyrra(match: str, requests: str) -> dict[str, str]:
    """The error ratio that Pyrra records as `…:burnrate5m`, over its budget, with the raw counter behind it."""
    inside = match[1:-1].strip().rstrip(",")
    ratio = f'max({{__name__=~".+:burnrate5m",{inside}}})'
    return {"burn": f"{ratio} / (1 - max(pyrra_objective{match}))", **raw(requests)}


def grafana_slo(match: str, requests: str) -> dict[str, str]:
    """The indicator that Grafana SLO records for five minutes, over its budget, with the raw counter behind it."""
    ratio = f"(1 - min(grafana_slo_sli_5m{match}))"
    return {"burn": f"{ratio} / (1 - max(grafana_slo_objective{match}))", **raw(requests)}


def gatus(match: str) -> dict[str, str]:
    """Checks of Gatus. It shows the last result until the next one, so that checks have to be counted as well."""
    result = f"gatus_results_endpoint_success{match}"
    return {**_status(result), "requests": f"min(sum by (key) (increase(gatus_results_total{match}[{WINDOW}])))"}


def kuma(match: str) -> dict[str, str]:
    """Monitors of Uptime Kuma: 0 down, 1 up, 2 pending, 3 in maintenance; only 1 all the time is clear."""
    status = f"monitor_status{match}"
    return {**_status(status), "highest": f"max(max_over_time({status}[{WINDOW}]))"}


def openslo(good: str | None, bad: str | None, requests: str, objective: float) -> dict[str, str]:
    """The error ratio of raw counters over the budget of an objective such as 0.999.

    A counter of good or bad requests that is not there gives no ratio: taking it for zero would call a misspelt
    selector well.
    """
    total = f"sum(rate({requests}[{WINDOW}]))"
    if good is not None:
        errors = f"(1 - clamp_max(sum(rate({good}[{WINDOW}])) / {total}, 1))"
    else:
        errors = f"(sum(rate({bad}[{WINDOW}])) / {total})"
    # Written out, because 1 - 0.999 is no round number for a computer.
    return {"burn": f"{errors} / {round(1 - objective, 9):.9f}", **raw(requests)}


def alert(rule: AlertingRule, group: str, interval: int) -> dict[str, str]:
    """Whether an alert fires, and the proof that its rule was evaluated and alerts are recorded at all.

    `group` is the rule's group as Prometheus names it in its own metrics, file and name; `interval` how often it is
    evaluated, in seconds. A minute is allowed for anyway.
    """
    inside = rule.match[1:-1].strip().rstrip(",")
    series = f"ALERTS{{alertname={quoted(rule.alert)}{',' + inside if inside else ''}}}"
    of_group = f"{{rule_group={quoted(group)}}}"
    evaluated = f"min(prometheus_rule_group_last_evaluation_timestamp_seconds{of_group})"
    return {
        "firing": f'count({series[:-1]},alertstate="firing"}})',
        "pending": f"count({series})",
        "watchdog": 'count(ALERTS{alertname="Watchdog",alertstate="firing"})',
        "evaluated": f"time() - {evaluated} - {max(0, interval - 60)}",
        "failures": f"max(increase(prometheus_rule_evaluation_failures_total{of_group}[{WINDOW}]))",
    }


def own(clear: str, hurt: str, requests: str | None) -> dict[str, str]:
    """Conditions written by a person: one holds where its query gives a series."""
    # A line of its own, because a query may end with a comment.
    found = {"clear": f"count(\n{clear}\n)", "hurt": f"count(\n{hurt}\n)"}
    return found | (raw(requests) if requests else {})


def _status(series: str) -> dict[str, str]:
    """Series that are 1 while all is well and 0 while not."""
    return {
        "lowest": f"min(min_over_time({series}[{WINDOW}]))",
        "newest": f"min({series})",
        "samples": f"min(count_over_time({series}[{WINDOW}]))",
        "age": f"time() - min(timestamp({series}))",
    }


def raw(counter: str) -> dict[str, str]:
    return {
        "requests": f"sum(increase({counter}[{WINDOW}]))",
        "samples": f"max(count_over_time({counter}[{WINDOW}]))",
        "age": f"time() - max(timestamp({counter}))",
    }


def joined(parts: dict[str, str]) -> str:
    """All parts in one request."""
    return " or ".join(f'label_replace({query}, "{PART}", "{part}", "", "")' for part, query in parts.items())


def quoted(name: str) -> str:
    """A name as a PromQL string."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
