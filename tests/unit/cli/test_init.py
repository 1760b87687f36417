"""`nearmiss init` without any tool, with tools that are away, and asking a person."""

from __future__ import annotations

from pathlib import Path

import yaml
from click.testing import CliRunner, Result

from monitor.cli.main import cli

NOWHERE = "http://127.0.0.1:1"


def init(folder: Path, *more: str, said: str | None = None) -> Result:
    asks = () if said is not None else ("--non-interactive",)
    return CliRunner().invoke(cli, ["init", "--directory", str(folder), *asks, *more], input=said)


def test_what_is_absent_is_said(tmp_path: Path) -> None:
    done = init(tmp_path)
    assert done.exit_code == 0, done.output
    for source in ("backstage: not named", "kubernetes: no kubeconfig", "prometheus: not named", "alertmanager: none"):
        assert source in done.output
    assert not (tmp_path / "catalogue.yaml").exists()
    assert "catalogue: no service was found" in done.output


def test_a_tool_that_is_away_fails_and_hides_nothing(tmp_path: Path) -> None:
    away = ("--prometheus", NOWHERE, "--alertmanager", NOWHERE, "--backstage", str(tmp_path / "none.yaml"))
    done = init(tmp_path, *away, "--github", "acme")
    assert done.exit_code == 1
    assert "prometheus: services: unreachable" in done.output
    assert f"alertmanager: {NOWHERE}: unreachable" in done.output
    assert "no such file" in done.output
    settings = yaml.safe_load((tmp_path / "nearmiss.yaml").read_text())
    assert settings["pulls"] == [{"tool": "alertmanager", "url": NOWHERE}]
    assert f"Secret: {settings['secrets']['github'][0]}" in done.output
    again = init(tmp_path, *away, "--github", "acme")
    assert settings["secrets"]["github"][0] in again.output


def test_entities_of_backstage_are_read_in_place(tmp_path: Path) -> None:
    entities = tmp_path / "entities.yaml"
    entities.write_text("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: checkout}\n")
    done = init(tmp_path, "--backstage", str(entities))
    assert done.exit_code == 0, done.output
    assert yaml.safe_load((tmp_path / "nearmiss.yaml").read_text()) == {"catalogue": [str(entities)]}


def test_a_person_is_asked(tmp_path: Path) -> None:
    done = init(tmp_path, "--wait", "0", said="\n\n\n\n\nacme\ny\n")
    assert done.exit_code == 0, done.output
    assert sorted(yaml.safe_load((tmp_path / "nearmiss.yaml").read_text())["secrets"]) == ["github", "pagerduty"]


def test_a_prometheus_elsewhere_has_to_prove_itself_and_one_that_delivers_goes_on(tmp_path: Path) -> None:
    away = ("--prometheus", NOWHERE)
    settings = tmp_path / "nearmiss.yaml"
    public = init(tmp_path, *away, "--address", "https://nearmiss.example")
    (secret,) = yaml.safe_load(settings.read_text())["secrets"]["prometheus"]
    assert f"authorization: {{credentials: {secret}}}" in public.output.replace("'", "")
    settings.write_text("port: 8080\n")
    assert "credentials" not in init(tmp_path, *away, "--address", "https://nearmiss.example").output
    settings.unlink()
    local = init(tmp_path, *away, "--address", "http://127.0.0.1:9000")
    assert "credentials" not in local.output
    assert f"next: nearmiss run --config {settings} --port 9000" in local.output


def test_waiting_ends(tmp_path: Path) -> None:
    done = init(tmp_path, "--wait", "1", "--address", NOWHERE)
    assert done.exit_code == 1
    assert f"{NOWHERE}: unreachable" in done.output


def test_settings_that_are_wrong_are_not_added_to(tmp_path: Path) -> None:
    (tmp_path / "nearmiss.yaml").write_text("prot: 8080\n")
    done = init(tmp_path, "--github", "acme")
    assert done.exit_code == 1
    assert "did you mean port?" in done.output
    assert (tmp_path / "nearmiss.yaml").read_text() == "prot: 8080\n"
