"""Words for severity and environment: each row of the tables by an example that a tool or a team really uses."""

from __future__ import annotations

import pytest

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.words import Environments, environment_of, is_elsewhere, is_named_elsewhere, severity_of


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", "critical"),
        ("CRIT", "critical"),
        ("page", "critical"),
        ("Disaster", "critical"),
        ("urgent", "critical"),
        ("Highest", "critical"),
        ("red", "critical"),
        ("SEV_1", "critical"),
        ("sev-0", "critical"),
        ("Sev 1", "critical"),
        ("P1", "critical"),
        ("1", "critical"),
        ("high", "high"),
        ("error", "high"),
        ("Major", "high"),
        ("P2", "high"),
        ("S2", "high"),
        ("P2 - High", "high"),
        ("orange", "high"),
        ("warning", "warning"),
        ("warn", "warning"),
        ("ticket", "warning"),
        ("yellow", "warning"),
        ("Average", "warning"),
        ("priority: 3", "warning"),
        ("info", "info"),
        ("Informational", "info"),
        ("low", "info"),
        ("P5", "info"),
        ("critical (SEV1)", "critical"),
    ],
)
def test_words_for_severity(word: str, severity: str) -> None:
    assert severity_of(word) == severity


@pytest.mark.parametrize("word", ["purple", "", "P9", "12", "-", "not that bad"])
def test_a_word_that_nobody_explained_is_no_severity(word: str) -> None:
    assert severity_of(word) is None


def test_an_organisation_explains_its_own_words() -> None:
    assert severity_of("Tsunami", {"tsunami": "critical"}) == "critical"
    assert severity_of("yellow", {"yellow": "high"}) == "high"


@pytest.mark.parametrize(
    ("word", "common"),
    [
        ("prod", "production"),
        ("Production", "production"),
        ("LIVE", "production"),
        ("prd-eu", "production-eu"),
        ("eu_prod", "eu-production"),
        ("prod1", "production"),
        ("stg", "staging"),
        ("Stage", "staging"),
        ("dev", "development"),
        ("tst", "test"),
        ("pre-prod", "preproduction"),
        ("non prod", "nonproduction"),
        ("qa", "qa"),
        ("blue", "blue"),
        ("eu-west-1", "eu-west-1"),
    ],
)
def test_words_for_environments(word: str, common: str) -> None:
    assert environment_of(word) == common


@pytest.mark.parametrize("word", ["staging", "stg-eu", "qa2", "dev-3", "pre-prod", "nonprod", "UAT", "test", "sandbox"])
def test_some_words_say_that_no_users_are_there(word: str) -> None:
    assert is_elsewhere(word)


@pytest.mark.parametrize("word", ["production", "prd-eu", "live", "blue", "canary", "contest", "latest"])
def test_others_do_not(word: str) -> None:
    assert not is_elsewhere(word)


@pytest.mark.parametrize(
    ("word", "production", "elsewhere"),
    [
        ("gstg", "gprd", True),
        ("acmedev", "acmeprod", True),
        ("AcmeTest1", "acmeprod1", True),
        ("gprd-cny", "gprd", False),
        ("stronghold", "production", False),
        ("gblue", "gprd", False),
        ("gstg", "eu-west", False),
        ("g", "gprd", False),
        ("gprd", "gprd", False),
    ],
)
def test_a_house_s_own_name_of_production_tells_the_others(word: str, production: str, elsewhere: bool) -> None:
    assert is_named_elsewhere(word, [production], {}) is elsewhere


def test_the_catalogue_names_the_environment_that_is_meant() -> None:
    two = Environments(["production", "prod-eu"], {})
    assert [two.resolve(word) for word in ("prod", "Prod-EU", "prd_eu", "stg")] == [
        "production", "prod-eu", "prod-eu", "staging",
    ]  # fmt: skip
    one = Environments(["prod"], {"blue": "production", "perf-lab": "staging"})
    assert [one.resolve(word) for word in ("Production", "prd-eu", "Blue", "perf_lab")] == [
        "prod", "prod", "prod", "staging",
    ]  # fmt: skip


def test_an_environment_that_nobody_explained_is_unknown_not_elsewhere() -> None:
    known = Catalogue(production=frozenset({"production"}), environments={"office": "intranet"})
    said = {name: known.counts(name) for name in ("production", "staging", "intranet", "blue", None)}
    assert said == {"production": True, "staging": False, "intranet": False, "blue": None, None: None}
    assert Catalogue().counts("blue") is True, "where nothing is listed"
