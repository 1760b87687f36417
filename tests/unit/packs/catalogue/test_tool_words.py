"""Aliases and words in the catalogue file: what they say, and what is wrong where one thing is named twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.model.catalogue import Alias, Catalogue, ImpactAlert, PersonId
from monitor.packs.catalogue.loader import load_catalogue, load_catalogues

HEAD = "services:\n  checkout: {user_facing: true}\n"


def load(tmp_path: Path, text: str) -> tuple[Catalogue, list[str]]:
    path = tmp_path / "catalogue.yaml"
    path.write_text(text, encoding="utf-8")
    catalogue, problems = load_catalogue(path)
    return catalogue, [str(problem).removeprefix(f"{path}:").replace(str(path), "FILE") for problem in problems]


def test_aliases_stand_where_the_name_stands(tmp_path: Path) -> None:
    catalogue, problems = load(
        tmp_path,
        HEAD
        + """\
  payments:
    aliases:
      names: [Payments API]
      sources: {pagerduty: [Pay, PS1]}
      repositories: acme/pay
      workloads: [pay-web]
      namespaces: [pay]
      hosts: ["pay-*"]
      labels: {team: pay}
      titles: ["*payment*"]
  ledger: {aliases: [books]}
""",
    )
    assert problems == []
    assert set(catalogue.aliases) == {
        Alias("ledger", "name", "books"),
        Alias("payments", "name", "Payments API"),
        Alias("payments", "source", "Pay", "pagerduty"),
        Alias("payments", "source", "PS1", "pagerduty"),
        Alias("payments", "repository", "acme/pay"),
        Alias("payments", "workload", "pay-web"),
        Alias("payments", "namespace", "pay"),
        Alias("payments", "host", "pay-*"),
        Alias("payments", "label", "pay", "team"),
        Alias("payments", "title", "*payment*"),
    }


def test_words_stand_under_what_they_mean(tmp_path: Path) -> None:
    text = HEAD + "environments: {production: [blue, green], staging: perf}\nseverities: {critical: [tsunami]}\n"
    catalogue, problems = load(tmp_path, text)
    assert problems == []
    assert catalogue.environments == {"blue": "production", "green": "production", "perf": "staging"}
    assert catalogue.severities == {"tsunami": "critical"}


def test_alerts_that_mean_harm(tmp_path: Path) -> None:
    text = HEAD + "impact_alerts:\n  - {alert: CheckoutErrors*}\n  - {labels: {tier: user, team: lab}, users: false}\n"
    catalogue, problems = load(tmp_path, text)
    assert problems == []
    assert catalogue.impact_alerts == (
        ImpactAlert(None, {"tier": "user", "team": "lab"}, users=False),
        ImpactAlert("CheckoutErrors*"),
    )


def test_people_stand_with_their_ids(tmp_path: Path) -> None:
    catalogue, problems = load(tmp_path, HEAD + "people: {ann: {any: [ann@shop.example], pagerduty: PX1}, bo: bo-y}\n")
    assert problems == []
    assert set(catalogue.people) == {
        PersonId("ann", "ann@shop.example"),
        PersonId("ann", "PX1", "pagerduty"),
        PersonId("bo", "bo-y"),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            HEAD + "  a: {aliases: [pay]}\n  b: {aliases: [Pay]}\n",
            (
                "4:17: error: 'Pay' is an alias of 'b' and of 'a' (first in FILE:3:17); expected each alias for one"
                " service; try removing one of them"
            ),
        ),
        (
            HEAD + "  a: {aliases: {sources: {pagerduty: pay}}}\n  b: {aliases: {sources: {pagerduty: [pay]}}}\n",
            (
                "4:39: error: 'pay' is an alias of 'b' and of 'a' (first in FILE:3:38); expected each alias for one"
                " service; try removing one of them"
            ),
        ),
        (
            HEAD + "  a: {aliases: [checkout]}\n",
            (
                "3:17: error: 'checkout' is an alias of 'a' and is a service itself; expected a name that no other"
                " service has; try removing the alias, or the service that has the same name"
            ),
        ),
        (
            HEAD + "  a: {aliases: [b]}\n  b: {aliases: [a]}\n",
            (
                "3:17: error: 'a' and 'b' are aliases of each other; expected a name that no other service has; try"
                " removing the alias, or the service that has the same name"
            ),
        ),
        (
            HEAD + "  a: {aliases: {repository: pay}}\n",
            (
                "3:17: error: the aliases of 'a' has no key 'repository'; expected one of hosts, labels, names,"
                " namespaces, repositories, sources, titles or workloads; try 'repositories' (did you mean that?)"
            ),
        ),
        (
            HEAD + "  a: {aliases: {labels: [pay]}}\n",
            (
                "3:25: error: labels is a list; expected a mapping from a source or a label to names; try"
                " `labels: {team: pay}`"
            ),
        ),
        (
            HEAD + "severities: {critical: [Sev-1], high: [sev1]}\n",
            (
                "3:40: error: severity 'sev1' means 'high' and 'critical' (first in FILE:3:25); expected one meaning"
                " for each word; try removing one of them"
            ),
        ),
        (
            HEAD + "severities: {grave: [sev1]}\n",
            (
                "3:14: error: there is no severity 'grave'; expected one of critical, high, info or warning; try"
                " `severities: {critical: [tsunami], warning: [drizzle]}`"
            ),
        ),
        (
            HEAD + "environments: {production: [blue], staging: [blue]}\n",
            (
                "3:46: error: environment 'blue' means 'staging' and 'production' (first in FILE:3:29); expected one"
                " meaning for each word; try removing one of them"
            ),
        ),
        (
            HEAD + "environments: {blue: [green], green: [blue]}\n",
            (
                "3:23: error: environment 'green' means 'blue', which means 'green': a loop; expected a meaning that is"
                " final; try listing it under 'green'"
            ),
        ),
        (
            HEAD + "impact_alerts: [{alert: A}, {alert: a, users: false}]\n",
            (
                "3:29: error: this alert means harm to users and no harm (first in FILE:3:17); expected one meaning"
                " for each alert; try removing one of them"
            ),
        ),
        (
            HEAD + "impact_alerts: [{users: false}]\n",
            (
                "3:17: error: an impact alert has no 'alert'; expected the name of an alert, or labels; try"
                " adding `alert: CheckoutErrors`"
            ),
        ),
        (
            HEAD + "people: {ann: {pagerduty: PX1}, bo: {pagerduty: [px1]}}\n",
            (
                "3:50: error: 'px1' is 'bo' and 'ann' (first in FILE:3:27); expected each id for one person; try"
                " removing one of them"
            ),
        ),
        (
            HEAD + "people: [ann]\n",
            (
                "3:9: error: people is a list; expected a mapping from a person to the ids that tools use; try"
                " `people: {ann: {any: [ann@shop.example], pagerduty: PX1ABCD}}`"
            ),
        ),
        (
            HEAD + "environments: [blue]\n",
            (
                "3:15: error: environments is a list; expected a mapping from an environment to the words that mean it;"
                " try `environments: {production: [blue, green], staging: [perf]}`"
            ),
        ),
    ],
)
def test_what_is_named_twice_is_said(tmp_path: Path, text: str, problem: str) -> None:
    catalogue, problems = load(tmp_path, text)
    assert catalogue == Catalogue()
    assert problem in problems


def test_files_are_taken_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD + "severities: {high: [gale]}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("services: {ledger: {}}\nseverities: {info: [gale]}\n", encoding="utf-8")
    assert [problem.message for problem in load_catalogues([tmp_path]).errors] == [
        f"severity 'gale' means 'info' and 'high' (first in {tmp_path / 'a.yaml'}:3:21)"
    ]
