"""Asks a Prometheus for a range of steps. A failure is QueryFailed with its reason."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.asking import OK, Caller, QueryFailed, Web, denied
from monitor.core.model.events import MINUTE, SECOND
from monitor.core.model.reasons import FeedFailure
from monitor.feeds import queries
from monitor.feeds.queries import PART, PulledFeed

RULES_KEPT = 5 * MINUTE
"""So long it is taken for granted, in the time of the steps, that an alerting rule is where it was."""

Point = tuple[float, str]


class _Series(msgspec.Struct):
    metric: dict[str, str] = {}
    values: list[Point] = []


class _Data(msgspec.Struct):
    resultType: str = ""  # noqa: N815 - the name in the answer
    result: Annotated[list[_Series], msgspec.Meta(max_length=64)] = []


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] = []


class _Rule(msgspec.Struct):
    name: str = ""
    type: str = ""
    health: str = ""


class _Group(msgspec.Struct):
    name: str = ""
    file: str = ""
    interval: float = 60.0
    rules: list[_Rule] = []


class _Groups(msgspec.Struct):
    groups: list[_Group] = []


class _RulesAnswer(msgspec.Struct):
    status: str
    data: _Groups | None = None
    error: str = ""


_ANSWER = msgspec.json.Decoder(_Answer)
_RULES = msgspec.json.Decoder(_RulesAnswer)


class Prometheus:
    """Its HTTP API: `query_range`, and `rules` where a feed asks for an alert."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._found: dict[str, tuple[int, str | None]] = {}

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        """The parts of each step in (after, until], oldest first; both lie on the grid. Raises QueryFailed."""
        query: str | None = feed.query
        if feed.rule is not None:
            query = await self._proving(feed, until)
        if query is None:
            return [{"rule": 0.0} for _ in range((until - after) // feed.step)]
        form = {
            "query": query,
            "start": _seconds(after + feed.step),
            "end": _seconds(until),
            "step": _seconds(feed.step),
            "timeout": f"{self._web.seconds:.0f}s",
        }
        url = f"{feed.address.rstrip('/')}/api/v1/query_range"
        status, body = await self._web.post(url, form, Caller(feed.headers, feed.authorization_file))
        return _parts(_read(status, body), after, until, feed.step)

    async def _proving(self, feed: PulledFeed, until: int) -> str | None:
        """The query for an alert with the group of its rule; None where there is no such rule."""
        rule = feed.rule
        assert rule is not None  # the caller asked
        asked_at, query = self._found.get(feed.name.digest, (0, None))
        if asked_at and 0 <= until - asked_at < RULES_KEPT:
            return query
        url = f"{feed.address.rstrip('/')}/api/v1/rules"
        # Older servers do not know the second parameter and answer with all rules.
        wanted = {"type": "alert", "rule_name[]": rule.alert}
        status, body = await self._web.get(url, wanted, Caller(feed.headers, feed.authorization_file))
        found = _groups_with(rule.alert, status, body)
        query = None
        if found is not None:
            parts = queries.alert(rule, f"{found.file};{found.name}", int(found.interval))
            query = queries.joined(parts) + (f" or {feed.query}" if feed.query else "")
        self._found[feed.name.digest] = (until, query)
        return query


def _groups_with(alert: str, status: int, body: bytes) -> _Group | None:
    denied(status)
    try:
        answer = _RULES.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise QueryFailed(FeedFailure.UNREADABLE, f"no rules of a Prometheus: {error}") from None
    if status != OK or answer.status != "success" or answer.data is None:
        raise QueryFailed(FeedFailure.REFUSED, f"answered {status} for its rules: {answer.error[:300]}")
    for group in answer.data.groups:
        for rule in group.rules:
            if rule.name == alert and rule.type == "alerting" and rule.health != "err":
                return group
    return None


def _seconds(instant: int) -> str:
    return f"{instant // SECOND}.{instant % SECOND:06}"


def _read(status: int, body: bytes) -> _Data:
    denied(status)
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        if status != OK:
            raise QueryFailed(FeedFailure.REFUSED, f"answered {status}") from None
        raise QueryFailed(FeedFailure.UNREADABLE, f"no answer of a Prometheus: {error}") from None
    if status != OK or answer.status != "success" or answer.data is None:
        detail = f"answered {status}: {answer.error[:300]}"
        raise QueryFailed(FeedFailure.REFUSED, detail, is_final=status in (400, 422))
    if answer.data.resultType != "matrix":
        raise QueryFailed(FeedFailure.UNREADABLE, f"expected a matrix, got {answer.data.resultType[:40]!r}")
    if answer.warnings:
        # Parts of a federated store did not answer: what is missing may be the bad news.
        raise QueryFailed(FeedFailure.PARTIAL, answer.warnings[0][:300])
    return answer.data


def _parts(data: _Data, after: int, until: int, step: int) -> list[dict[str, float]]:
    found: list[dict[str, float]] = [{} for _ in range((until - after) // step)]
    for series in data.result:
        part = series.metric.get(PART, "")
        for second, text in series.values:
            try:
                place, value = round((second * SECOND - after) / step) - 1, float(text)
            except (ValueError, OverflowError) as error:
                raise QueryFailed(FeedFailure.UNREADABLE, f"no number: {error}") from None
            if 0 <= place < len(found):
                found[place][part] = value
    return found
