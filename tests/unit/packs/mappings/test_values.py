"""Where a field comes from: expressions, the first of several, texts, patterns, tables, times, labels, people."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import to_text
from monitor.core.model.reasons import Mark, Rejected
from tests.unit.packs.mappings.mapped import event, field, mapping, read


@pytest.mark.parametrize(
    ("value", "body", "found"),
    [
        ("app", {"app": "shop"}, "shop"),
        ("app", {"app": ["shop"]}, "shop"),
        ("app", {"app": ["shop", "cart"]}, None),
        ("app", {"app": {"name": "shop"}}, None),
        ("app", {"app": "  "}, None),
        ("app", {"app": "null"}, None),
        ("app", {"app": "$SERVICE"}, None),
        ("app", {"app": "{HOST.NAME}"}, None),
        ("app", {"app": "*monitorFriendlyName*"}, None),
        ("app", {"app": 7}, "7"),
        ("[app, host.name]", {"app": None, "host": {"name": "web"}}, "web"),
        ('{text: "{app} on {host}"}', {"app": "shop", "host": "web"}, "shop on web"),
        ('{text: "{app} on {host}"}', {"app": "shop"}, None),
        ("\"live && 'shop'\"", {"live": True}, "shop"),
        ("\"live && 'shop'\"", {"live": False}, None),
        ("[\"kind == 'a' && app\", other]", {"kind": "b", "app": "shop", "other": "cart"}, "cart"),
        ("app", {"app": False}, "false"),
        ('[{text: "{app} on {host}"}, app]', {"app": "shop"}, "shop"),
        ('{text: "{{{app}}}"}', {"app": "shop"}, "{shop}"),
        ("{text: fixed}", {}, "fixed"),
        ("{path: link, find: 'app=([a-z]+)'}", {"link": "/x?app=shop&y"}, "shop"),
        ("{path: link, find: '[0-9]+'}", {"link": "a 77 b"}, "77"),
        ("{path: link, find: '[0-9]+'}", {"link": "none"}, None),
        ("{path: app, words: {S: shop}}", {"app": " s "}, "shop"),
        ("{path: app, words: {S: shop}}", {"app": "t"}, None),
        ("{path: app, words: {S: shop}, otherwise: rest}", {"app": "t"}, "rest"),
        ("{path: app, words: {'true': shop}}", {"app": True}, "shop"),
        ("{path: app, otherwise: rest}", {}, "rest"),
    ],
)
def test_values(value: str, body: Any, found: str | None) -> None:
    assert field(value, body) == found


@pytest.mark.parametrize(
    ("value", "body", "found"),
    [
        ("at", {"at": "2026-03-01T09:00:00Z"}, "2026-03-01T09:00:00Z"),
        ("[done, at]", {"done": None, "at": 1772355600}, "2026-03-01T09:00:00Z"),
        ("[done, at]", {"done": "soon", "at": 1772355600}, "2026-03-01T09:00:00Z"),
        ("{path: at, zone: Europe/Berlin}", {"at": "2026-03-01 10:00"}, "2026-03-01T09:00:00Z"),
        ("{path: at, format: '%d.%m.%Y %H:%M', zone: UTC}", {"at": "01.03.2026 09:00"}, "2026-03-01T09:00:00Z"),
        ("{path: [day, at], format: '%d.%m.%Y', zone: UTC}", {"day": "01.03.2026"}, "2026-03-01T00:00:00Z"),
    ],
)
def test_times(value: str, body: Any, found: str) -> None:
    assert to_text(field(value, body, "time")) == found


def test_a_time_that_cannot_be_read_is_refused_unless_the_mapping_says_otherwise() -> None:
    strict = read(mapping("  - {kind: alert.fired, time: at}"), {"at": "soon"})
    assert [refusal.reason for refusal in strict.refusals] == [Rejected.BAD_TIME]
    assert "at: " in strict.refusals[0].detail
    lenient = event(mapping("  - {kind: alert.fired, time: {path: at, otherwise: receipt}}"), {"at": "soon"})
    assert lenient.marks == (Mark.TIME_FROM_RECEIPT,)


def test_a_deadline_that_cannot_be_read_costs_only_itself() -> None:
    found = event(mapping("  - {kind: alert.fired, expires_at: until}"), {"until": "soon"})
    assert found.expires_at is None


def test_severity_takes_common_words_and_the_tool_s_own() -> None:
    assert field("level", {"level": "CRITICAL"}, "severity") == "critical"
    assert field("level", {"level": "Sev2"}, "severity") == "high"
    assert field("level", {"level": "purple"}, "severity") is None
    assert field("{path: level, words: {purple: high}}", {"level": "Purple"}, "severity") == "high"


@pytest.mark.parametrize(
    ("value", "body", "identity", "kind"),
    [
        ("who", {"who": "ann"}, "ann", "unknown"),
        ("who", {"who": "deploy-bot"}, "deploy-bot", "automation"),
        ("{id: who, kind: human}", {"who": "ann"}, "ann", "human"),
        ("{id: who, kind: human}", {"who": "release[bot]"}, "release[bot]", "automation"),
        ("{id: who, kind: automation}", {"who": "ann"}, "ann", "automation"),
        (
            "{id: who, kind: {path: sort, words: {svc: automation}, otherwise: human}}",
            {"who": "x", "sort": "svc"},
            "x",
            "automation",
        ),
        ("{kind: automation}", {}, None, "automation"),
    ],
)
def test_actors(value: str, body: Any, identity: str | None, kind: str) -> None:
    actor = field(value, body, "actor")
    assert (actor.id, actor.kind) == (identity, kind)


def test_nobody_is_made_up() -> None:
    assert field("{id: who, kind: unknown}", {}, "actor") is None


def test_numbers_with_and_without_a_unit() -> None:
    found = event(
        mapping("  - {kind: alert.fired, value: took, limit: most, bound: {text: max}}"), {"took": "97.5%", "most": 100}
    )
    assert (found.value, found.unit, found.limit, found.bound) == (97.5, "%", 100, "max")
    assert field("took", {"took": "slow"}, "value") is None
    assert field("{text: sideways}", {}, "bound") is None


@pytest.mark.parametrize(
    "tags",
    [
        {"region": "eu", "empty": "", "unfilled": "$X", "nothing": None},
        [{"key": "region", "value": "eu"}, {"key": "empty", "value": None}],
        [{"tag": "region", "value": "eu"}, "not a pair", 7, None],
        [{"name": "region", "value": {"stringValue": "eu"}}],
        ["region:eu", "novalue:", ":noname", "plain"],
        ["region=eu"],
    ],
)
def test_labels_spread_from_what_tools_call_tags(tags: Any) -> None:
    assert event(mapping("  - {kind: alert.fired, spread: tags}"), {"tags": tags}).labels == {"region": "eu"}


def test_named_labels_come_before_spread_ones() -> None:
    text = mapping("  - {kind: alert.fired, labels: {region: own}, spread: tags}")
    assert event(text, {"own": "us", "tags": {"region": "eu", "az": "a"}}).labels == {"region": "us", "az": "a"}


def test_the_value_of_a_tag_may_hold_further_marks() -> None:
    assert event(mapping("  - {kind: alert.fired, spread: tags}"), {"tags": ["url:http://a:80/?x=1"]}).labels == {
        "url": "http://a:80/?x=1"
    }
