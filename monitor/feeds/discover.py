"""Finds in a Prometheus what says whether users are well, and which service of the catalogue each of it watches.

Asks for names and rules once, and writes nothing: what it finds is for a person to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Annotated

import msgspec

from monitor.asking import Caller, QueryFailed, Wanted, Web, denied
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.reasons import FeedFailure
from monitor.core.model.words import plain
from monitor.core.resolving.names import Names
from monitor.feeds.queries import quoted
from monitor.located.flow import flow

LOOKED_BACK_SECONDS = 600
SURE = 0.9
"""A feed that matches less well is proposed, and has to be confirmed."""

_EXACT, _SPELT, _JOINED, _NEAREST = 1.0, 0.95, 0.9, 0.6
_FURTHER = 0.1
"""Less for each label that tells the service less directly than the one before."""
_SCRAPES = (5, 10, 15, 20, 30, 60, 120)
"""Of a target that is scraped more seldom a Prometheus gives no feed; most often such a series has only just begun."""
_EVIDENCE = {"sloth": "slo", "pyrra": "slo", "grafana_slo": "slo"}
_COUNTER = re.compile(r"(?P<selector>[a-zA-Z_:][\w:]*(?:\{(?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*\})?)\s*\[", re.ASCII)
_HOST = re.compile(r"^(?:\w+://)?(?P<host>[\w.-]+)", re.ASCII)

Labels = Mapping[str, str]
NOTHING_SHOWN: Labels = {}


class Preset(msgspec.Struct, frozen=True):
    """How a tool shows itself: a series, the labels that name its feed, and those that may name the service."""

    name: str
    series: str
    identity: tuple[str, ...]
    told_by: tuple[str, ...]


PRESETS = (
    Preset("sloth", "sloth_slo_info", ("sloth_id", "sloth_slo"), ("sloth_service", "sloth_slo")),
    Preset("pyrra", "pyrra_objective", ("slo",), ("service", "slo", "job")),
    Preset(
        "grafana_slo",
        "grafana_slo_info",
        ("grafana_slo_uuid",),
        ("grafana_slo_service", "service", "service_name", "grafana_slo_name"),
    ),
    Preset("blackbox", "probe_success", ("service", "target", "instance"), ("service", "target", "instance", "job")),
    Preset("gatus", "gatus_results_endpoint_success", ("key", "name"), ("name", "group")),
    Preset("kuma", "monitor_status", ("monitor_name",), ("monitor_name", "monitor_url", "monitor_hostname")),
)


class FoundFeed(msgspec.Struct, frozen=True):
    """A feed that could be pulled. `score` is 1 for a service's own name and 0 where the catalogue has none like it.

    `scrape` is in seconds. `requests` is the raw counter behind a ratio, None where no rule tells it.
    """

    service: str
    score: float
    preset: str
    source: str
    evidence: str
    match: str
    told_by: str
    address: str
    requests: str | None = None
    scrape: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it can be pulled as it is."""
        return self.requests is not None or self.preset not in _EVIDENCE

    @property
    def is_sure(self) -> bool:
        return self.score >= SURE and self.is_whole

    def setting(self, shown: Mapping[str, str] = NOTHING_SHOWN) -> dict[str, object]:
        """Its entry among `feeds` of the settings; `shown` is what the server wants to see besides."""
        pull = {"prometheus": self.address, "preset": self.preset, "match": self.match}
        if self.requests is not None:
            pull["requests"] = self.requests
        if self.scrape is not None and self.scrape not in (0, 30):
            pull["scrape"] = f"{self.scrape}s"
        source = {} if self.source == self.preset else {"source": self.source}
        return {"service": self.service, **source, "pull": {**pull, **shown}}

    def catalogue_entry(self) -> dict[str, str]:
        """Its entry among `feeds` of the catalogue."""
        return {"service": self.service, "source": self.source, "evidence": self.evidence}


class Discovery(msgspec.Struct, frozen=True):
    """What was found, the surest first, user-facing services without any of it, and what could not be asked."""

    feeds: tuple[FoundFeed, ...]
    without: tuple[str, ...]
    problems: tuple[str, ...]


class _Sample(msgspec.Struct):
    metric: dict[str, str] = {}
    value: tuple[float, str] = (0.0, "0")


class _Samples(msgspec.Struct):
    result: Annotated[list[_Sample], msgspec.Meta(max_length=20_000)] = []


class _Answer(msgspec.Struct):
    status: str
    data: _Samples | None = None
    error: str = ""


class _Rule(msgspec.Struct):
    name: str = ""
    query: str = ""
    labels: dict[str, str] = {}


class _Group(msgspec.Struct):
    rules: list[_Rule] = []


class _Groups(msgspec.Struct):
    groups: list[_Group] = []


class _Rules(msgspec.Struct):
    status: str
    data: _Groups | None = None


_ANSWER, _RULES = msgspec.json.Decoder(_Answer), msgspec.json.Decoder(_Rules)


async def discover(web: Web, address: str, catalogue: Catalogue, caller: Caller | None = None) -> Discovery:
    """Ask a Prometheus what it knows of users. A tool that cannot be asked for is a problem, and hides no other."""
    address, asking = address.rstrip("/"), caller or Caller()
    problems: dict[str, None] = {}
    counters: list[_Rule] | None = None
    feeds: list[FoundFeed] = []
    for preset in PRESETS:
        samples: list[_Sample] = []
        try:
            samples = await _instant(web, address, asking, f"count_over_time({preset.series}[{LOOKED_BACK_SECONDS}s])")
            if samples and preset.name in _EVIDENCE and counters is None:
                counters = await _recorded(web, address, asking)
        except QueryFailed as error:
            if error.reason in (FeedFailure.UNREACHABLE, FeedFailure.TIMEOUT, FeedFailure.DENIED):
                problems[f"{address}: {error}"] = None
                break
            problems[f"{preset.series}: {error}"] = None
            if not samples:
                continue
        feeds += _found(preset, samples, counters or [], catalogue, address)
    told = sorted(_named_apart(feeds), key=lambda each: (-each.score, each.service, each.preset, each.match))
    watched = {feed.service for feed in told if feed.score}
    without = tuple(
        sorted(name for name, each in catalogue.services.items() if each.user_facing and name not in watched)
    )
    return Discovery(tuple(told), without, tuple(problems))


def _found(
    preset: Preset, samples: list[_Sample], rules: list[_Rule], catalogue: Catalogue, address: str
) -> Iterator[FoundFeed]:
    names = Names(catalogue)
    fullest: dict[str, _Sample] = {}
    for sample in sorted(samples, key=lambda each: sorted(each.metric.items())):
        label = next((each for each in preset.identity if sample.metric.get(each)), None)
        if label is None:
            continue
        match = f"{{{label}={quoted(sample.metric[label])}}}"
        # Of two series for one feed the younger one would tell a scrape that is too seldom.
        if match not in fullest or _count(sample) > _count(fullest[match]):
            fullest[match] = sample
    for match, sample in fullest.items():
        service, score, told_by = matched(sample.metric, preset, catalogue, names)
        is_ratio = preset.name in _EVIDENCE
        yield FoundFeed(
            service,
            score,
            preset.name,
            preset.name,
            _EVIDENCE.get(preset.name, "synthetic"),
            match,
            told_by,
            address,
            counter_behind(preset, sample.metric, rules) if is_ratio else None,
            None if is_ratio else _scrape(_count(sample)),
        )


def _count(sample: _Sample) -> float:
    """Its samples in the time that was looked back."""
    try:
        count = float(sample.value[1])
    except ValueError:
        return 0.0
    return count if isfinite(count) else 0.0


def matched(labels: Labels, preset: Preset, catalogue: Catalogue, names: Names) -> tuple[str, float, str]:
    """The service that a series is about, how sure that is, and by which label."""
    best: tuple[str, float, str] | None = None
    told = [(label, labels[label]) for label in preset.told_by if labels.get(label)]
    for place, (label, value) in enumerate(told):
        for name in _spellings(value):
            service, score = _scored(name, catalogue, names)
            score = round(max(0.0, score - place * _FURTHER), 2) if score else 0.0
            if score and (best is None or score > best[1]):
                best = service, score, label
    if best is not None:
        return best
    label, value = told[0] if told else ("", "?")
    return value, 0.0, label


def _scored(name: str, catalogue: Catalogue, names: Names) -> tuple[str, float]:
    if catalogue.is_empty:
        return name, 0.0
    joined = names.joined(name)
    if catalogue.knows(joined):
        if joined == name:
            return joined, _EXACT
        return joined, _SPELT if plain(joined) == plain(name) else _JOINED
    nearest = names.nearest(name)
    return (nearest, _NEAREST) if nearest is not None else (name, 0.0)


def _spellings(value: str) -> Iterator[str]:
    """A value as it is, and the first word of the host where it is an address."""
    yield value
    host = _HOST.match(value)
    if host is not None and "." in host["host"]:
        yield host["host"].partition(".")[0]


def counter_behind(preset: Preset, labels: Labels, rules: list[_Rule]) -> str | None:
    """The raw counter of all requests in the rule that records the ratio: it divides by the last one."""
    for rule in rules:
        if preset.name == "sloth":
            fits = rule.name == "slo:sli_error:ratio_rate5m" and rule.labels.get("sloth_id") == labels.get("sloth_id")
        elif preset.name == "pyrra":
            fits = rule.name.endswith(":burnrate5m") and rule.labels.get("slo") == labels.get("slo")
        else:
            uuid = labels.get("grafana_slo_uuid")
            fits = rule.name == "grafana_slo_total_rate_5m" and rule.labels.get("grafana_slo_uuid") == uuid
        if fits and (found := _COUNTER.findall(rule.query)):
            return str(found[-1])
    return None


def _scrape(samples: float) -> int | None:
    """The interval of scrapes that gave so many samples, as one writes it; None where they are too few to tell."""
    if samples * _SCRAPES[-1] < LOOKED_BACK_SECONDS:
        return None
    seconds = LOOKED_BACK_SECONDS / samples
    return min(_SCRAPES, key=lambda each: abs(each - seconds))


def _named_apart(feeds: list[FoundFeed]) -> Iterator[FoundFeed]:
    """Two feeds of one service and tool need two sources."""
    counted: dict[tuple[str, str], int] = {}
    for feed in feeds:
        key = (feed.service, feed.preset)
        counted[key] = counted.get(key, 0) + 1
        number = counted[key]
        yield feed if number == 1 else msgspec.structs.replace(feed, source=f"{feed.preset}-{number}")


async def _instant(web: Web, address: str, caller: Caller, query: str) -> list[_Sample]:
    status, body = await web.post(f"{address}/api/v1/query", {"query": query}, caller)
    answer = _decoded(_ANSWER, status, body)
    if status != 200 or answer.status != "success" or answer.data is None:
        raise QueryFailed(FeedFailure.REFUSED, f"answered {status}: {answer.error[:300]}")
    return answer.data.result


async def _recorded(web: Web, address: str, caller: Caller) -> list[_Rule]:
    status, body = await web.get(f"{address}/api/v1/rules", {"type": "record"}, caller)
    answer = _decoded(_RULES, status, body)
    if status != 200 or answer.data is None:
        raise QueryFailed(FeedFailure.REFUSED, f"answered {status} for its rules")
    return [rule for group in answer.data.groups for rule in group.rules]


def _decoded(decoder: msgspec.json.Decoder[Wanted], status: int, body: bytes) -> Wanted:
    denied(status)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise QueryFailed(FeedFailure.UNREADABLE, f"no answer of a Prometheus: {error}") from None


def lines(found: Discovery) -> Iterator[str]:
    """What to paste into the settings and the catalogue; what has to be confirmed or completed is a comment.

    Where nothing was found there is nothing to paste.
    """
    if not found.feeds:
        return
    # A key whose entries are all comments is one too: without a value it would be wrong.
    key = "feeds:" if any(feed.is_sure for feed in found.feeds) else "# feeds:"
    yield "# Settings (nearmiss.yaml)"
    yield key
    for feed in found.feeds:
        why = f"{feed.told_by}, score {feed.score:.2f}"
        if not feed.is_whole:
            why += "; add requests: the raw counter of requests"
        yield f"  {'' if feed.is_sure else '# '}- {flow(feed.setting())}  # {why}"
    yield "# Catalogue"
    yield key
    for feed in found.feeds:
        yield f"  {'' if feed.is_sure else '# '}- {flow(feed.catalogue_entry())}"
    for service in found.without:
        yield f"# {service} is user-facing, and nothing here watches it"
