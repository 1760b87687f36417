"""The catalogue file: what it says, and everything that is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.core.model.catalogue import Catalogue, Feed, Hours
from monitor.core.model.events import MINUTE
from monitor.packs.catalogue.loader import load_catalogue

WHOLE = re.compile(r"^[1-9]\d*:[1-9]\d*: (error|warning): .+; expected \S.*; try \S")

GOOD = """\
services:
  checkout:
    user_facing: true
    depends_on: [payments, cart]
    owner: team-pay
    domain: shop
    hours: {zone: Europe/Berlin, opens: "08:00", closes: "18:30", days: [mon, sat]}
  payments: {depends_on: [ledger]}
  cart: {}
  ledger: {}
production: [production, prod-eu]
feeds:
  - {service: checkout, source: blackbox, evidence: synthetic, freshness: 10m}
automation: [deploy-bot]
"""


def load(tmp_path: Path, text: str) -> tuple[Catalogue, list[str]]:
    path = tmp_path / "catalogue.yaml"
    path.write_text(text, encoding="utf-8")
    catalogue, problems = load_catalogue(path)
    return catalogue, [str(problem).removeprefix(f"{path}:") for problem in problems]


def test_a_catalogue_becomes_a_value(tmp_path: Path) -> None:
    catalogue, problems = load(tmp_path, GOOD)
    assert problems == []
    assert catalogue.upward("ledger") == {"ledger", "payments", "checkout"}
    assert catalogue.is_user_facing("checkout")
    assert catalogue.production == {"production", "prod-eu"}
    assert catalogue.feeds == (Feed("checkout", "blackbox", "synthetic", 10 * MINUTE),)
    assert catalogue.automation == {"deploy-bot"}
    assert catalogue.services["checkout"].hours == Hours("Europe/Berlin", 480, 1110, frozenset({1, 6}))


def test_the_short_form_is_read_too(tmp_path: Path) -> None:
    catalogue, problems = load(tmp_path, "user_facing: [a]\nproduction: [prod]\ndepends_on: {a: [b], b: [c]}\n")
    assert problems == []
    assert catalogue.upward("c") == {"a", "b", "c"}
    assert catalogue.is_user_facing("a")
    assert not catalogue.is_user_facing("b")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("depends_on: [ledger]", "depends_on: [leger]", "8:27: warning: service 'leger' is not in the catalogue"),
        ("{service: checkout,", "{service: chekout,", "13:15: error: service 'chekout' is not in the catalogue"),
        ("freshness: 10m", "freshness: soon", "error: freshness is 'soon'"),
        ("freshness: 10m", "pull: {preset: blackbox}", "try the whole entry among `feeds` of the settings"),
        ("Europe/Berlin", "Europe/Atlantis", "7:19: error: no time zone 'Europe/Atlantis'"),
        ("Europe/Berlin", "../../etc/passwd", "7:19: error: no time zone"),
        ('opens: "08:00"', 'opens: "8 o"', "error: opens is '8 o'"),
        ('opens: "08:00"', 'opens: "24:30"', "error: opens is '24:30'"),
        ("days: [mon, sat]", "days: [mon, so]", "error: days is 'so'"),
        ("user_facing: true", "user_facing: yes", "3:18: error: user_facing is 'yes'"),
        ("user_facing: true", "userfacing: true", "3:5: error: service 'checkout' has no key 'userfacing'"),
        ("user_facing: true", "user_facing: false", "warning: no service is user-facing"),
        ("production: [", "prodution: [", "11:1: error: a catalogue has no key 'prodution'"),
        ("  cart: {}\n", "  cart: {}\n  cart: {}\n", "error: key 'cart' is given twice"),
    ],
)
def test_each_mistake_is_told_where_it_stands(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert GOOD.count(old) == 1, old
    catalogue, problems = load(tmp_path, GOOD.replace(old, new))
    assert any(told in problem for problem in problems), problems
    assert all(WHOLE.search(problem) for problem in problems), problems
    assert catalogue.is_empty or "warning" in told


@pytest.mark.parametrize(
    "text", ["[]", "x", "services: []", "services: {a: 1}", "production: [p]", "user_facing: {a: b}"]
)
def test_what_is_no_catalogue_is_told_too(tmp_path: Path, text: str) -> None:
    catalogue, problems = load(tmp_path, text)
    assert catalogue.is_empty
    assert problems
