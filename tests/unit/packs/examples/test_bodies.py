"""Examples of rules that are made of bodies as tools send them, read by the decoders."""

from __future__ import annotations

import pytest

from monitor.core.model.events import Event, to_text
from monitor.located.nodes import Mapping, parse_located
from monitor.located.problems import Problems
from monitor.packs.examples.bodies import read_bodies
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules

ALERT = (
    "{status: firing, alerts: [{status: firing, labels: {alertname: Errors, service: cart}, annotations: {},"
    ' startsAt: "{at-5m}", endsAt: "0001-01-01T00:00:00Z", fingerprint: a1}]}'
)


def read(bodies: str) -> tuple[list[Event], list[str]]:
    problems = Problems()
    node = parse_located(f"bodies: {bodies}".encode(), "page", problems)
    assert isinstance(node, Mapping)
    found = read_bodies(node.get("bodies"), problems)
    return found, [str(problem) for problem in problems]


def test_a_body_goes_through_its_decoder_and_its_times_count_from_when_it_is_sent() -> None:
    ((fired,), problems) = read(f"[{{at: +1h, source: alertmanager, body: {ALERT}}}]")
    assert problems == []
    assert (fired.kind, fired.service, to_text(fired.time)) == ("alert.fired", "cart", "2026-03-10T12:55:00Z")
    assert to_text(fired.received_at) == "2026-03-10T13:00:00Z"


@pytest.mark.parametrize(
    ("bodies", "said"),
    [
        ("[]", "bodies is"),
        ("{at: +1h}", "bodies is a mapping"),
        (f"[{{at: soon, source: alertmanager, body: {ALERT}}}]", "at is 'soon'"),
        (f"[{{at: +1h, source: alertmanagr, body: {ALERT}}}]", "nothing reads 'alertmanagr'"),
        ("[{at: +1h, source: alertmanager}]", "body"),
        ("[{at: +1h, source: alertmanager, body: {alerts: [{status: odd, labels: {}}]}}]", "alertmanager refuses it"),
        ("[{at: +1h, source: github, headers: {X-GitHub-Event: star}, body: {a: 1}}]", "github gives no event"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_where_it_stands(bodies: str, said: str) -> None:
    found, problems = read(bodies)
    assert found == []
    assert problems
    assert said in problems[0]
    assert problems[0].startswith("page:1:")


def test_shipped_rules_have_examples_of_what_tools_send() -> None:
    """Those of which it was shown; the file of each rule has the bodies."""
    shown = {
        example.rule
        for example in load_rules(shipped_rules()).examples
        if example.expect == "draft" and any(event.received_at is not None for event in example.events)
    }
    assert shown >= {
        *("aborted-at-gate", "breaker-held", "canary-aborted-by-automation", "destructive-plan-aborted"),
        *(
            "full-averted",
            "guard-refused-destruction",
            "guardrail-refused",
            "improvised-by-hand",
            "page-and-manual-fix",
        ),
        *("runbook-did-not-fit", "secret-revoked-unused", "telemetry-gap-closed", "wrong-target-contained"),
    }
