"""`nearmiss config check`: every problem at once, what would run, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.config import group
from monitor.packs.rules.shipped import shipped_rules

CATALOGUE = """\
services:
  shop: {user_facing: true, depends_on: [db], owner: team-web, system: store, lifecycle: production,
         hours: {zone: Europe/Berlin, opens: "08:00", closes: "20:00"}}
  beta: {user_facing: true, owner: team-lab, lifecycle: experimental}
  db: {}
  attic: {owner: team-web}
production: [production]
feeds: [{service: shop, source: probe}]
automation: [robot]
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.yaml"
    path.write_text(CATALOGUE)
    return path


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("NEARMISS_")]:
        monkeypatch.delenv(name)


def check(*arguments: object) -> Result:
    return CliRunner().invoke(group, ["check", *map(str, arguments)])


def test_it_says_what_would_run(catalogue: Path) -> None:
    done = check("--catalogue", catalogue)
    assert done.exit_code == 0, done.output
    for said in (
        "listens on 127.0.0.1:8080",
        "4 services in 1 file,",
        "users see 2: beta, shop",
        "domains   3: around:attic, around:beta, store",
        "owners    2: team-lab, team-web",
        "1 experimental, 2 not said, 1 production",
        "cadence: shop (probe)",
        "unwatched none",
        "no users  attic",
        "machines  robot",
    ):
        assert said in done.stdout
    assert "1 of 4 services have no owner: db" in done.stderr
    assert "0 errors, 1 warning" in done.stderr


def test_as_json_with_the_hashes_of_the_service(catalogue: Path) -> None:
    from monitor.packs.pack import load_pack

    done = check("--catalogue", catalogue, "--format", "json")
    said = json.loads(done.stdout)
    loaded = load_pack(None, [catalogue])
    assert said["rules"]["content_hash"] == loaded.rules.content_hash
    assert said["catalogue"]["content_hash"] == loaded.catalogue.content_hash
    assert said["catalogue"]["without_owner"] == ["db"]
    assert [problem["severity"] for problem in said["problems"]] == ["warning"]


def test_every_problem_of_everything_is_printed(tmp_path: Path, catalogue: Path) -> None:
    config = tmp_path / "nearmiss.yaml"
    config.write_text("port: high\nlatenes: 1m\n")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yaml").write_text("rule: a\nhazrd: {}\n")
    catalogue.write_text(CATALOGUE.replace("user_facing: true, depends", "user_facing: maybe, depends"))
    done = check("--config", config, "--rules", rules, "--catalogue", catalogue)
    assert done.exit_code == 1
    for said in ("nearmiss.yaml:1:1: port", "latenes: there is no such setting", "a.yaml:2:1", "catalogue.yaml:2:23"):
        assert said in done.stderr, done.stderr


def test_warnings_fail_only_where_it_is_strict(catalogue: Path) -> None:
    assert check("--catalogue", catalogue).exit_code == 0
    assert check("--catalogue", catalogue, "--strict").exit_code == 1


def test_paths_of_the_settings_are_checked(tmp_path: Path, catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "nearmiss.yaml"
    config.write_text(f"catalogue: [{catalogue}]\nrules: {shipped_rules()}\n")
    done = check("--config", config)
    assert done.exit_code == 0, done.output
    assert "4 services" in done.stdout
    monkeypatch.setenv("NEARMISS_CATALOGUE", str(tmp_path / "none.yaml"))
    done = check("--config", config)
    assert done.exit_code == 1
    assert "there is no such file" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("source: probe}", "source: probe}, {service: db, source: x}", None),
        ("lifecycle: experimental", "lifecycle: production", "no feed watches 'beta', which users see"),
        ("production: [production]\n", "", "no production environment is named"),
        ("source: probe", "source: probe, evidence: synthetic", "no feed can see the harm of these rules"),
        (',\n         hours: {zone: Europe/Berlin, opens: "08:00", closes: "20:00"}', "", "declares operating hours"),
    ],
)
def test_what_will_be_regretted_is_told(catalogue: Path, old: str, new: str, told: str | None) -> None:
    assert CATALOGUE.count(old) == 1
    catalogue.write_text(CATALOGUE.replace(old, new))
    done = check("--catalogue", catalogue)
    assert done.exit_code == 0
    if told is None:
        assert "0 errors, 1 warning" in done.stderr
    else:
        assert told in done.stderr


def test_without_a_catalogue_it_says_what_that_means() -> None:
    done = check()
    assert done.exit_code == 0
    assert "every service counts as user-facing" in done.stdout
    assert "no catalogue: every service counts as user-facing" in done.stderr


@pytest.mark.parametrize(("kept", "told"), [("30d", True), ("null", False), ("90d", False)])
def test_rules_that_look_further_back_than_the_history(tmp_path: Path, catalogue: Path, kept: str, told: bool) -> None:
    """A notice is waited for three months; its events are gone from the history by then."""
    (tmp_path / "settings.yaml").write_text(f"retention: {{events: {kept}}}\n")
    done = check("--catalogue", catalogue, "--config", tmp_path / "settings.yaml")
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stderr.splitlines() if "looks 90d" in line]
    assert bool(lines) is told
    if told:
        (line,) = lines
        assert "notice-acted-on-late.yaml:2:7: warning: 'notice-acted-on-late' looks 90d back" in line
        assert "the history keeps 30d" in line
        assert line.endswith("try `retention: {events: 90d}` [NM116]")


def test_a_feed_of_a_service_that_does_not_exist(tmp_path: Path, catalogue: Path) -> None:
    settings = tmp_path / "nearmiss.yaml"
    feed = "feeds: [{service: NAME, pull: {prometheus: 'http://127.0.0.1:9', preset: blackbox}}]"
    settings.write_text(f"catalogue: {catalogue}\n{feed.replace('NAME', 'shp')}\n")
    done = check("--config", settings)
    assert done.exit_code == 0, done.output
    assert "a feed is pulled for 'shp', which is not in the catalogue" in done.output
    assert "try 'shop' [NM208]" in done.output
    settings.write_text(f"catalogue: {catalogue}\n{feed.replace('NAME', 'Shop')}\n")
    assert "is pulled" not in check("--config", settings).output


@pytest.mark.parametrize("where", ["catalogue", "settings"])
@pytest.mark.parametrize(
    ("evidence", "hint"),
    [("synthetc", "'synthetic' (did you mean that?)"), ("probes", "`evidence: synthetic`"), ("slo", None)],
)
def test_evidence_that_no_rule_knows(tmp_path: Path, where: str, evidence: str, hint: str | None) -> None:
    catalogue, settings = tmp_path / "catalogue.yaml", tmp_path / "nearmiss.yaml"
    said = {"catalogue": "synthetic", "settings": "synthetic", where: evidence}
    shop = "services: {shop: {user_facing: true, owner: team-web}}\nproduction: [production]\n"
    catalogue.write_text(f"{shop}feeds:\n- {{service: shop, source: probe, evidence: {said['catalogue']}}}\n")
    pull = "pull: {prometheus: 'http://127.0.0.1:9', preset: blackbox}"
    settings.write_text(f"catalogue: {catalogue}\nfeeds: [{{service: shop, evidence: {said['settings']}, {pull}}}]\n")
    done = check("--config", settings)
    assert done.exit_code == 0, done.output
    told = [line for line in done.stderr.splitlines() if "NM211" in line]
    if hint is None:
        assert told == []
        return
    (line,) = told
    assert line.startswith(f"{catalogue}:4:" if where == "catalogue" else f"{settings}")
    assert f"no rule asks for the evidence '{evidence}', which a feed of 'shop' gives" in line
    assert hint in line


def test_evidence_that_an_own_rule_asks_for_is_known(tmp_path: Path, pack: Path) -> None:
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text("services: {shop: {user_facing: true}}\nfeeds: [{service: shop, evidence: rum}]\n")
    assert "NM211" in check("--catalogue", catalogue, "--rules", pack).stderr
    (rule,) = pack.glob("*.yaml")
    rule.write_text(rule.read_text().replace("evidence: [synthetic, slo]", "evidence: [rum]"))
    assert "rum" not in check("--catalogue", catalogue, "--rules", pack).stderr


@pytest.mark.parametrize(
    ("pull", "told"),
    [
        ("{prometheus: 'prom:9090', preset: blackbox}", "pull.prometheus: expected an address; try prometheus: http:"),
        ("{statuspage: status}", "pull.statuspage: expected an address; try statuspage: https:"),
        ("{prometheus: 'http://p', preset: blackbox, match: service=shop}", "match: expected label matchers in braces"),
        ("{google: shop}", "pull.google: expected the SLO's full name; try google: projects/"),
    ],
)
def test_wrong_settings_are_told_in_words_and_hide_no_catalogue(
    tmp_path: Path, catalogue: Path, pull: str, told: str
) -> None:
    settings = tmp_path / "nearmiss.yaml"
    settings.write_text(f"catalogue: {catalogue}\nfeeds: [{{service: shop, pull: {pull}}}]\n")
    done = check("--config", settings)
    assert done.exit_code == 1
    assert told in done.output
    assert "String should" not in done.output
    assert "no catalogue" not in done.output
    assert "every service counts" not in done.output
    settings.write_text("pulls: [{tool: alertmanager, url: 'am:9093'}]\n")
    assert "url: expected an address; try url: http" in check("--config", settings).output
