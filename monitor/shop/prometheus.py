"""What a Prometheus knows of a shop: its services, who calls whom, owners, environments, its Alertmanagers.

Knows which questions to ask and how to read the answers; asks nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from monitor.core.resolving.labels import is_exporter
from monitor.shop.found import FoundServices

MOST_SERIES = 20_000
QUESTIONS: Mapping[str, str] = {
    "services": 'group by (service) ({service!="", __name__=~"up|probe_success|http_requests_total|ALERTS"})',
    "apps": 'group by (app) (up{app!=""})',
    "probes": 'group by (service) (last_over_time(probe_success{service!=""}[1h]))',
    "calls": "group by (client, server) (traces_service_graph_request_total)",
    "mesh": "group by (source_canonical_service, destination_canonical_service) (istio_requests_total)",
    "owners": 'group by (service, team) ({team!="", service!="", __name__=~"up|probe_success|ALERTS"})',
    "environments": 'group by (env) (up{env!=""}) or group by (environment) (up{environment!=""})',
}


class _Series(msgspec.Struct, frozen=True):
    metric: dict[str, str] = {}


class _Data(msgspec.Struct, frozen=True):
    result: list[_Series] = []


class _Answer(msgspec.Struct, frozen=True):
    status: str
    data: _Data = _Data()
    error: str = ""


class _Rule(msgspec.Struct, frozen=True):
    labels: dict[str, str] = {}


class _Group(msgspec.Struct, frozen=True):
    rules: list[_Rule] = []


class _Groups(msgspec.Struct, frozen=True):
    groups: list[_Group] = []


class _Rules(msgspec.Struct, frozen=True):
    data: _Groups = _Groups()


class _Peer(msgspec.Struct, frozen=True):
    url: str = ""


class _Peers(msgspec.Struct, frozen=True):
    activeAlertmanagers: list[_Peer] = []  # noqa: N815 - the name in the answer


class _Alertmanagers(msgspec.Struct, frozen=True):
    data: _Peers = _Peers()


class BadAnswer(Exception):
    """No answer of a Prometheus, or one that says why there is none."""


class NotPrometheus(BadAnswer):
    """Something else answers."""


def labels_of(body: bytes) -> list[dict[str, str]]:
    """The labels of each series of an answer. Raises BadAnswer, and NotPrometheus where no part of it can be read."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotPrometheus(str(error)) from None
    if answer.status != "success":
        raise BadAnswer(answer.error[:300])
    return [series.metric for series in answer.data.result[:MOST_SERIES]]


def take(question: str, labels: list[dict[str, str]], found: FoundServices) -> None:
    """Add what the answer to one of `QUESTIONS` says."""
    _TAKEN[question](labels, found)


def take_rules(body: bytes, found: FoundServices) -> None:
    """Owners from the labels of alert rules. Raises BadAnswer."""
    try:
        rules = msgspec.json.decode(body, type=_Rules)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswer(str(error)) from None
    for rule in (rule for group in rules.data.groups for rule in group.rules):
        name, owner = rule.labels.get("service", ""), rule.labels.get("team") or rule.labels.get("owner")
        if _is_service(name):
            service = found.service(name, "the labels of an alert rule")
            service.owner = service.owner or owner


def alertmanagers_of(body: bytes, own: str = "") -> list[str]:
    """The addresses of the Alertmanagers that a Prometheus notifies; nearmiss, which is at `own`, is none of them.

    Raises BadAnswer.
    """
    try:
        peers = msgspec.json.decode(body, type=_Alertmanagers).data.activeAlertmanagers
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswer(str(error)) from None
    addresses = {peer.url.partition("/api/v")[0] for peer in peers if peer.url.startswith("http")}
    return sorted(each for each in addresses if each != own and "/ingest/prometheus" not in each)


def _is_service(name: str) -> bool:
    return bool(name) and "{{" not in name and not is_exporter(name) and name not in ("prometheus", "alertmanager")


def _named(label: str, told_by: str) -> Callable[[list[dict[str, str]], FoundServices], None]:
    def take(labels: list[dict[str, str]], found: FoundServices) -> None:
        for each in labels:
            if _is_service(each.get(label, "")):
                found.service(each[label], told_by)

    return take


def _probes(labels: list[dict[str, str]], found: FoundServices) -> None:
    for each in labels:
        if _is_service(each.get("service", "")):
            found.service(each["service"], "a probe").user_facing = True


def _edges(client: str, server: str, told_by: str) -> Callable[[list[dict[str, str]], FoundServices], None]:
    def take(labels: list[dict[str, str]], found: FoundServices) -> None:
        pairs = [(each.get(client, ""), each.get(server, "")) for each in labels]
        found.edges([pair for pair in pairs if _is_service(pair[0]) and _is_service(pair[1])], told_by)

    return take


def _owners(labels: list[dict[str, str]], found: FoundServices) -> None:
    for each in labels:
        if _is_service(each.get("service", "")):
            service = found.service(each["service"], "the label service")
            service.owner = service.owner or each.get("team")


def _environments(labels: list[dict[str, str]], found: FoundServices) -> None:
    found.environments |= {value for each in labels for value in each.values() if value}


_TAKEN: Mapping[str, Callable[[list[dict[str, str]], FoundServices], None]] = {
    "services": _named("service", "the label service"),
    "apps": _named("app", "the label app"),
    "probes": _probes,
    "calls": _edges("client", "server", "traces"),
    "mesh": _edges("source_canonical_service", "destination_canonical_service", "the mesh"),
    "owners": _owners,
    "environments": _environments,
}
