"""Backstage's entities as a catalogue: what becomes of each field, and what is told where."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model.catalogue import Alias, Catalogue, Feed, Hours
from monitor.core.model.events import MINUTE
from monitor.packs.catalogue.loader import catalogue_hash, load_catalogues

WHOLE = re.compile(r":[1-9]\d*:[1-9]\d*: (error|warning): .+; expected \S.*; try \S")

INVENTORY = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  annotations:
    nearmiss.dev/user-facing: "true"
    nearmiss.dev/hours: mon-fri 08:00-18:30 Europe/Berlin
    nearmiss.dev/feeds: blackbox synthetic 10m; slo-exporter slo
    github.com/project-slug: acme/checkout
spec:
  type: website
  lifecycle: production
  owner: group:default/team-pay
  system: shop
  dependsOn: [resource:default/payments-db]
  consumesApis: [ledger-api]
---
apiVersion: backstage.io/v1beta1
kind: Component
metadata: {name: Ledger, title: The ledger}
spec:
  type: service
  lifecycle: Experimental
  owner: team-money
  providesApis: [ledger-api]
  consumesApis: [ledger-api]
  dependsOn: [payments-db]
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata:
  name: payments-db
  annotations: {nearmiss.dev/service: pg-payments}
spec: {type: database, owner: group:infra/dba, system: shop, dependencyOf: ["component:ledger"]}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: ledger-api}
spec: {type: openapi, lifecycle: production, owner: team-money, definition: {$text: ./api.yaml}}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: team-pay, domain: retail}
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata:
  name: retail
  annotations: {nearmiss.dev/production: "production, prod-eu", nearmiss.dev/automation: deploy-bot}
spec: {owner: team-pay}
---
"""


def load(tmp_path: Path, *texts: str) -> tuple[Catalogue, list[str]]:
    directory = tmp_path / "catalogue"
    directory.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        (directory / f"{number}.yaml").write_text(text, encoding="utf-8")
    loaded = load_catalogues([directory])
    return loaded.catalogue, [str(problem).removeprefix(f"{directory}/") for problem in loaded.problems]


def test_entities_become_a_catalogue(tmp_path: Path) -> None:
    catalogue, problems = load(tmp_path, INVENTORY)
    assert problems == []
    assert set(catalogue.services) == {"checkout", "Ledger", "pg-payments"}
    checkout = catalogue.services["checkout"]
    assert (checkout.user_facing, checkout.owner, checkout.system, checkout.domain) == (
        True,
        "team-pay",
        "shop",
        "retail",
    )
    assert checkout.hours == Hours("Europe/Berlin", 480, 1110)
    assert set(checkout.depends_on) == {"pg-payments", "Ledger"}
    assert catalogue.services["Ledger"].depends_on == ("pg-payments",)
    assert catalogue.services["Ledger"].lifecycle == "experimental"
    assert catalogue.services["pg-payments"].owner == "infra/dba"
    assert catalogue.feeds == (
        Feed("checkout", "blackbox", "synthetic", 10 * MINUTE),
        Feed("checkout", "slo-exporter", "slo"),
    )
    assert catalogue.production == {"production", "prod-eu"}
    assert catalogue.automation == {"deploy-bot"}
    assert catalogue.domain_of("pg-payments") == catalogue.domain_of("Ledger") == "retail"


def test_our_own_form_goes_before_what_backstage_says(tmp_path: Path) -> None:
    own = """\
services:
  Ledger: {user_facing: true, owner: team-books, depends_on: [queue]}
  queue: {}
feeds: [{service: Ledger, source: probe}]
production: [live]
"""
    catalogue, problems = load(tmp_path, INVENTORY, own)
    assert problems == []
    ledger = catalogue.services["Ledger"]
    assert (ledger.user_facing, ledger.owner, ledger.lifecycle) == (True, "team-books", "experimental")
    assert set(ledger.depends_on) == {"pg-payments", "queue"}
    assert "live" in catalogue.production


def test_a_file_may_add_feeds_and_environments_only(tmp_path: Path) -> None:
    catalogue, problems = load(tmp_path, INVENTORY, "production: [live]\nfeeds: [{service: checkout, source: p}]\n")
    assert problems == []
    assert Feed("checkout", "p") in catalogue.feeds


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    documents = INVENTORY.split("---\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    forward, _ = load(tmp_path / "a", *documents[:-1])
    backward, _ = load(tmp_path / "b", *reversed(documents[:-1]))
    assert catalogue_hash(forward) == catalogue_hash(backward)


def test_what_is_meant_for_other_tools_is_left_out(tmp_path: Path) -> None:
    catalogue, problems = load(tmp_path, INVENTORY, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n")
    assert problems == []
    assert "x" not in catalogue.services


def test_what_is_ignored_joins_nothing(tmp_path: Path) -> None:
    text = INVENTORY.replace("nearmiss.dev/service: pg-payments", 'nearmiss.dev/ignore: "true"')
    catalogue, problems = load(tmp_path, text)
    assert problems == []
    assert set(catalogue.services) == {"checkout", "Ledger"}
    assert catalogue.services["checkout"].depends_on == ("Ledger",)


def test_a_part_serves_what_it_is_a_part_of(tmp_path: Path) -> None:
    part = (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: cart}\nspec: {subcomponentOf: checkout}\n"
    )
    catalogue, problems = load(tmp_path, INVENTORY, part)
    assert problems == []
    assert "cart" in catalogue.services["checkout"].depends_on


def test_cycles_are_allowed(tmp_path: Path) -> None:
    text = INVENTORY.replace("dependsOn: [payments-db]", "dependsOn: [payments-db, component:checkout]")
    catalogue, problems = load(tmp_path, text)
    assert problems == []
    assert catalogue.upward("checkout") == catalogue.downward("checkout") - {"pg-payments"} == {"checkout", "Ledger"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[resource:default/payments-db]", "[resource:paymets-db]", "0.yaml:15:15: warning: service 'paymets-db'"),
        ("consumesApis: [ledger-api]\n---", "consumesApis: [leger-api]\n---", "nobody provides an API 'leger-api'"),
        ("system: shop\n", "system: shoop\n", "warning: system 'shoop' is not described"),
        ("domain: retail", "domain: retial", "warning: domain 'retial' is not described; expected"),
        ("owner: team-money\n", "owner: user:default/jo\n", "warning: the owner is one person; expected a team"),
        ('["component:ledger"]', '["component:legder"]', "warning: component 'legder' is not described"),
        ("nearmiss.dev/user-facing", "nearmiss.dev/userfacing", "0.yaml:6:5: error: there is no annotation"),
        ('"true"', '"yes"', "0.yaml:6:31: error: nearmiss.dev/user-facing is 'yes'; expected the text"),
        ("mon-fri 08:00-18:30 Europe/Berlin", "mon-fri 8-18", "0.yaml:7:25: error: hours open from 'mon-fri'"),
        ("mon-fri 08:00-18:30", "mon-frei 08:00-18:30", "error: hours are"),
        ("08:00-18:30", "08:00-25:00", "error: hours open from '08:00-25:00'"),
        ("Europe/Berlin", "Mars/Base", "error: no time zone 'Mars/Base'"),
        ("blackbox synthetic 10m", "blackbox synthetic quick 10m", "0.yaml:8:25: error: feed 'blackbox synthetic"),
        ("kind: Domain", "kind: Domian", "0.yaml:47:7: error: kind 'domian' is none of Backstage's own"),
        ("metadata: {name: shop}", "metadata: {title: shop}", "error: system without a name"),
        ("nearmiss.dev/service: pg-payments", "nearmiss.dev/service: checkout", "service 'checkout' is described"),
        ("metadata: {name: Ledger,", "metadata: {name: checkout,", "error: component 'checkout' is described twice"),
        ('nearmiss.dev/production: "production, prod-eu"', 'nearmiss.dev/hours: "x"', "stands on a domain"),
        ('"true"', '"false"', "warning: no service is user-facing"),
        ("spec: {owner: team-pay}", "spec: [a]", "error: spec is a list"),
        ("name: checkout\n", "name: checkout\n  name: again\n", "error: key 'name' is given twice"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_where_it_stands(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in INVENTORY
    catalogue, problems = load(tmp_path, INVENTORY.replace(old, new, 1))
    assert any(told in problem for problem in problems), problems
    assert all(WHOLE.search(problem) for problem in problems), problems
    assert catalogue.is_empty is any("error:" in problem for problem in problems)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    text = (
        INVENTORY.replace('"true"', "maybe")
        .replace("Europe/Berlin", "Mars/Base")
        .replace("kind: Domain", "kind: Domian")
    )
    _, problems = load(tmp_path, text)
    assert len([problem for problem in problems if "error:" in problem]) == 3


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    loaded = load_catalogues([tmp_path / "none.yaml"])
    assert [problem.message for problem in loaded.errors] == ["there is no such file or directory"]
    assert loaded.catalogue.is_empty


def test_one_broken_file_raises_no_storm_of_unknown_services(tmp_path: Path) -> None:
    _, problems = load(tmp_path, INVENTORY, "services: {x: {depends_on: [y]}, y: {}\n")
    assert len(problems) == 1, problems


@pytest.mark.parametrize(
    ("line", "days"),
    [("sat", {6}), ("sat-mon", {6, 7, 1}), ("mon,wed,fri-sat", {1, 3, 5, 6}), ("MON-SUN", set(range(1, 8)))],
)
def test_days_on_one_line(tmp_path: Path, line: str, days: set[int]) -> None:
    catalogue, problems = load(tmp_path, INVENTORY.replace("mon-fri 08:00", f"{line} 08:00"))
    assert problems == []
    hours = catalogue.services["checkout"].hours
    assert hours is not None
    assert hours.days == days


def component(name: str, *annotations: str) -> str:
    lines = "".join(f"    {line}\n" for line in annotations)
    head = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n"
    return f"{head}  name: {name}\n  annotations:\n{lines}spec: {{type: service, lifecycle: production}}\n"


def test_what_other_plugins_need_says_how_tools_call_a_service(tmp_path: Path) -> None:
    users = 'nearmiss.dev/user-facing: "true"'
    one = component("pay", users, "nearmiss.dev/aliases: Payments API, payd", "pagerduty.com/service-id: PS1",
                    "github.com/project-slug: acme/mono", "backstage.io/kubernetes-id: pay-web")  # fmt: skip
    two = component("cart", "github.com/project-slug: acme/mono")
    catalogue, problems = load(tmp_path, one, two)
    assert problems == []
    assert set(catalogue.aliases) == {
        Alias("pay", "name", "Payments API"),
        Alias("pay", "name", "payd"),
        Alias("pay", "source", "PS1", "pagerduty"),
        Alias("pay", "workload", "pay-web"),
    }, "a repository of two services names neither"


LINES = INVENTORY.splitlines()
PIECES = ["", "{}", "[]", "- x", "~", "true", "1", "30m", "{a: {b: c}}", "a:b/c/d", ":", "/", "'", "{", "component:"]


def told(body: str) -> None:
    """Whatever it is, there are problems or a catalogue, and never an exception."""
    with TemporaryDirectory() as directory:
        path = Path(directory, "fuzzed.yaml")
        path.write_text(body, encoding="utf-8")
        loaded = load_catalogues([path])
    assert loaded.errors or loaded.catalogue.services
    assert all("\n" not in str(problem) and problem.line >= 1 for problem in loaded.problems)
    assert all(problem.expected and problem.hint for problem in loaded.problems)


@settings(max_examples=60)
@given(st.integers(0, len(LINES) - 1), st.sampled_from(PIECES))
def test_any_value_of_an_entity_may_be_anything(line: int, piece: str) -> None:
    key, colon, _ = LINES[line].partition(":")
    told("\n".join([*LINES[:line], f"{key}{colon} {piece}", *LINES[line + 1 :]]))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["drop", "double", "cut"])), max_size=4))
def test_lines_of_entities_may_be_lost_doubled_or_cut(changes: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for place, change in changes:
        at = min(place, len(lines) - 1)
        half = lines[at][: len(lines[at]) // 2]
        lines[at : at + 1] = {"drop": [], "double": [lines[at], lines[at]], "cut": [half]}[change]
    told("\n".join(lines))
