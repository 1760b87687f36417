"""The settings of pulls: each is on its page, secrets stay out of messages, names keep clusters apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.asking import Caller
from monitor.pullers.settings import PullSettings
from monitor.settings import BadSettings, load_settings

PAGE = Path(__file__).parents[3] / "docs/how-to/pull-from-tools.md"


def test_each_key_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in PullSettings.model_fields if f"`{name}`" not in page] == []


def test_a_target_has_its_source_and_headers() -> None:
    told = {"tool": "alertmanager", "url": "http://am", "name": "eu", "authorization": "Bearer x", "tenant": "shop"}
    (target,) = PullSettings.model_validate(told).targets()
    assert (target.source, target.caller) == (
        "alertmanager-api/eu",
        Caller({"Authorization": "Bearer x", "X-Scope-OrgID": "shop"}),
    )
    (grafana,) = PullSettings.model_validate({"tool": "grafana", "url": "http://g"}).targets()
    assert grafana.source == "grafana-annotations"


def test_a_cluster_is_watched_resource_by_resource(tmp_path: Path) -> None:
    (authority := tmp_path / "ca.crt").touch()
    told = {"tool": "kubernetes", "url": "https://api:6443", "authorization_file": "/run/token", "ca_file": authority}
    targets = PullSettings.model_validate(told).targets()
    assert [target.what for target in targets] == [
        "api/v1/events",
        "apis/apps/v1/deployments",
        "apis/apps/v1/statefulsets",
        "apis/apps/v1/daemonsets",
    ]
    assert len({target.key for target in targets}) == len(targets)
    assert {(target.source, target.ca_file) for target in targets} == {("kubernetes", str(authority))}
    events, *_ = PullSettings.model_validate({**told, "namespace": "shop"}).targets()
    assert (events.what, events.caller) == ("api/v1/namespaces/shop/events", Caller({}, "/run/token"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"authorization": "Bearer x", "authorization_file": "/run/token"}, "try the file alone"),
        ({"namespace": "shop"}, "namespace is for kubernetes"),
        ({"ca_file": "/no/such/file"}, "no such file"),
    ],
)
def test_what_does_not_fit_together_is_said(more: dict[str, str], said: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load_settings({"pulls": [{"tool": "grafana", "url": "http://g", **more}]})
    assert said in "\n".join(caught.value.problems)


def test_what_is_wrong_is_named_without_its_value() -> None:
    with pytest.raises(BadSettings) as caught:
        load_settings({"pulls": [{"tool": "grafana", "url": "http://user:the-secret@g", "tokn": "the-secret"}]})
    said = "\n".join(caught.value.problems)
    assert "url" in said
    assert "there is no such setting" in said
    assert "the-secret" not in said
