"""The catalogues on the page about them are read without a problem, and say what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from monitor.core.model.catalogue import AliasBy, Catalogue
from monitor.packs.catalogue.entity import ANNOTATIONS, PREFIX
from monitor.packs.catalogue.loader import SERVICE_KEYS, load_catalogues
from tests.architecture.files import text

PAGE = text(Path("docs/how-to/catalogue.md")) or ""
OTHER_PAGE = text(Path("docs/how-to/backstage.md")) or ""
YAML = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
OWN, WORDS, HARM = YAML.findall(PAGE)
BACKSTAGE, ADDED = YAML.findall(OTHER_PAGE)


def read(directory: Path, *written: str) -> Catalogue:
    for number, each in enumerate(written):
        (directory / f"{number}.yaml").write_text(each, encoding="utf-8")
    loaded = load_catalogues([directory])
    assert loaded.problems == ()
    return loaded.catalogue


def test_our_own_form(tmp_path: Path) -> None:
    catalogue = read(tmp_path, OWN)
    assert catalogue.upward("payments-db") == {"payments-db", "payments", "checkout"}
    assert len(catalogue.feeds) == 2


def test_what_tools_call_them(tmp_path: Path) -> None:
    catalogue = read(tmp_path, WORDS)
    assert {alias.by for alias in catalogue.aliases} == set(get_args(AliasBy))
    assert catalogue.environments["blue"] == "production"
    assert catalogue.severities["drizzle"] == "warning"


def test_alerts_that_mean_impact(tmp_path: Path) -> None:
    assert [mark.users for mark in read(tmp_path, HARM).impact_alerts] == [False, True]


def test_backstage_and_what_is_added_to_it(tmp_path: Path) -> None:
    catalogue = read(tmp_path, BACKSTAGE, ADDED)
    assert catalogue.downward("checkout") == {"checkout", "pg-payments", "ledger-service"}
    assert catalogue.is_user_facing("ledger-service")
    assert catalogue.services["ledger-service"].owner == "team-money"
    assert catalogue.domain_of("pg-payments") == "retail"
    assert len(catalogue.feeds) == 3


def test_every_key_and_annotation_is_on_the_page() -> None:
    for key in SERVICE_KEYS:
        assert f"`{key}`" in PAGE
    for annotation in ANNOTATIONS:
        assert f"`{PREFIX}{annotation}`" in OTHER_PAGE
