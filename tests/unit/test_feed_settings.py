"""Feeds in the settings: what a short entry means, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.model.events import MINUTE
from monitor.feed_settings import FeedSettings
from monitor.feeds.states import FeedName, Limits
from monitor.settings import BadSettings, load_settings
from tests.architecture.files import text

SECRET = "Bearer correct-horse-battery"
AT = "service: checkout, prometheus: 'http://p:9090'"


def load(folder: Path, *feeds: str) -> list[str]:
    path = folder / "nearmiss.yaml"
    path.write_text("feeds:\n" + "".join(f"  - {{{feed}}}\n" for feed in feeds), encoding="utf-8")
    try:
        load_settings({"config": str(path)}, {})
    except BadSettings as error:
        return list(error.problems)
    return []


def test_a_short_entry_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "nearmiss.yaml"
    path.write_text(f"feeds: [{{{AT}, preset: blackbox}}]\n", encoding="utf-8")
    feed = load_settings({"config": str(path)}, {}).feeds[0].feed()
    assert feed.name == FeedName("checkout", "blackbox", "synthetic")
    assert (feed.step, feed.limits) == (MINUTE, Limits(30, 8, has_counts=True, has_requests=False))
    assert 'probe_success{service="checkout"}' in feed.query


def test_a_ratio_never_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "nearmiss.yaml"
    path.write_text(f"feeds: [{{{AT}, preset: pyrra, match: '{{slo=\"s\",}}', requests: r_total}}]\n", encoding="utf-8")
    feed = load_settings({"config": str(path)}, {}).feeds[0].feed()
    assert feed.limits == Limits(30, 8, has_counts=True, has_requests=True)
    assert '{__name__=~".+:burnrate5m",slo="s"}' in feed.query
    assert "sum(increase(r_total[5m]))" in feed.query


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        (AT, "expected either a preset, or clear and hurt"),
        (f"{AT}, preset: blackbox, clear: up", "expected either a preset, or clear and hurt"),
        (f"{AT}, clear: up", "expected both clear and hurt"),
        (f"{AT}, preset: sloth", "expected the raw counter"),
        (f"{AT}, preset: nagios", "expected blackbox, sloth or pyrra"),
        (f"{AT}, preset: blackbox, match: job=x", "feeds.0.match"),
        (f"{AT}, preset: blackbox, step: 1s", "feeds.0.step"),
        (f"{AT}, preset: blackbox, flor: 3", "did you mean floor?"),
        ("service: checkout, prometheus: 'http://me:pw@p:9090', preset: blackbox", "feeds.0.prometheus"),
        ("service: checkout, preset: blackbox", "feeds.0.prometheus: missing"),
    ],
)
def test_a_wrong_feed_says_what_was_expected(tmp_path: Path, feed: str, said: str) -> None:
    (line,) = load(tmp_path, feed)
    assert said in line
    assert "try " in line or "did you mean" in line


def test_two_feeds_of_one_name_could_not_be_told_apart(tmp_path: Path) -> None:
    (line,) = load(tmp_path, f"{AT}, preset: blackbox", f"{AT}, preset: blackbox")
    assert "two feeds of checkout have the source blackbox" in line
    assert load(tmp_path, f"{AT}, preset: blackbox", f"{AT}, preset: blackbox, source: probe-2") == []


@pytest.mark.parametrize("wrong", ["step: x", "clear: up", "match: 3", "preset: 5", "zzz: 1"])
def test_a_credential_is_never_shown(tmp_path: Path, wrong: str) -> None:
    said = load(tmp_path, f"{AT}, authorization: '{SECRET}', {wrong}")
    assert said
    assert "horse" not in "\n".join(said)


def test_the_page_names_every_key() -> None:
    page = text(Path("docs/how-to/feeds.md")) or ""
    assert [name for name in FeedSettings.model_fields if f"`{name}`" not in page] == []
