"""The settings of pulls: each is on its page, secrets stay out of messages, names keep clusters apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.pull_settings import PullSettings
from monitor.settings import BadSettings, load_settings

PAGE = Path(__file__).parents[2] / "docs/how-to/pull-from-tools.md"


def test_each_key_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in PullSettings.model_fields if f"`{name}`" not in page] == []


def test_a_target_has_its_source_and_headers() -> None:
    told = {"tool": "alertmanager", "url": "http://am", "name": "eu", "authorization": "Bearer x", "tenant": "shop"}
    target = PullSettings.model_validate(told).target()
    assert (target.source, target.headers) == (
        "alertmanager-api/eu",
        {"Authorization": "Bearer x", "X-Scope-OrgID": "shop"},
    )
    assert PullSettings.model_validate({"tool": "grafana", "url": "http://g"}).target().source == "grafana-annotations"


def test_what_is_wrong_is_named_without_its_value() -> None:
    with pytest.raises(BadSettings) as caught:
        load_settings({"pulls": [{"tool": "grafana", "url": "http://user:the-secret@g", "tokn": "the-secret"}]})
    said = "\n".join(caught.value.problems)
    assert "url" in said
    assert "there is no such setting" in said
    assert "the-secret" not in said
