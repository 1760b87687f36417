"""The alerts about the monitor itself: they ask for metrics that there are, and each has its page in the runbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric

from monitor.app.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs/how-to/runbook.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
SAMPLES: dict[str, list[dict[str, str]]] = {}
for _family in Metrics().registry.collect():
    assert isinstance(_family, Metric)
    for _sample in _family.samples:
        SAMPLES.setdefault(_sample.name, []).append(_sample.labels)


def ids(rule: dict[str, Any]) -> str:
    return str(rule["alert"])


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_an_alert_asks_for_metrics_and_label_values_that_exist(rule: dict[str, Any]) -> None:
    for name, selector in re.findall(r"(nearmiss_\w+)(?:\{([^}]*)\})?", rule["expr"]):
        assert name in SAMPLES
        for label, value in re.findall(r'(\w+)="([^"]*)"', selector):
            assert any(labels.get(label) == value for labels in SAMPLES[name]), f"{name} never has {label}={value}"


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/how-to/runbook.md#{rule['alert'].lower()}"
    assert f"\n## {rule['alert']}\n" in RUNBOOK


def test_the_runbook_speaks_of_no_alert_that_is_gone() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_links_inside_of_the_runbook_lead_somewhere() -> None:
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK)) <= headings
