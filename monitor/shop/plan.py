"""From what was found to sections of the two files, and to the lines to paste on the other side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.resolving.names import Names
from monitor.located.flow import flow, said
from monitor.shop.found import FoundServices
from monitor.shop.text import FileSection, service_line


class PlannedFeed(Protocol):
    """A feed that could be pulled, as `monitor.feeds.discover` finds it."""

    @property
    def is_sure(self) -> bool: ...

    @property
    def is_whole(self) -> bool: ...

    @property
    def score(self) -> float: ...

    @property
    def told_by(self) -> str: ...

    def setting(self, shown: Mapping[str, str]) -> dict[str, object]: ...

    def catalogue_entry(self) -> dict[str, str]: ...


class ShopFeeds(Protocol):
    @property
    def feeds(self) -> tuple[PlannedFeed, ...]: ...


class ShopAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said about the shop. `address`: where its tools reach nearmiss."""

    prometheus: str | None = None
    authorization_file: Path | None = None
    tenant: str | None = None
    alertmanagers: tuple[str, ...] = ()
    grafana: str | None = None
    backstage: Path | None = None
    kubeconfig: Path | None = None
    github: str | None = None
    pagerduty: bool = False
    address: str
    secrets: Mapping[str, str] = {}


def catalogue_sections(found: FoundServices, feeds: ShopFeeds, known: Catalogue) -> list[FileSection]:
    """What the catalogue lacks."""
    names = Names(known)
    fresh = {name for name in found.services if not known.knows(names.joined(name))}
    everyone = sorted({*known.services, *found.services})
    told = {(feed.service, feed.source, feed.evidence) for feed in known.feeds}
    entries = [(feed, feed.catalogue_entry()) for feed in feeds.feeds]
    return [
        FileSection(
            "services",
            "Which ones do users see? Those that a probe watches are marked so.",
            tuple(service_line(found.services[name], everyone) for name in sorted(fresh)),
        ),
        FileSection(
            "production",
            "The environments with users; without this line all are. Words such as staging are known.",
            tuple(f"  - {said(name)}" for name in sorted(found.environments) if name.casefold().startswith("prod"))
            if not known.production
            else (),
        ),
        FileSection(
            "feeds",
            "Who reports that users are fine. Lines that are comments have to be confirmed.",
            tuple(
                f"  {'' if feed.is_sure else '# '}- {flow(entry)}"
                for feed, entry in entries
                if (entry["service"], entry["source"], entry["evidence"]) not in told
            ),
        ),
    ]


class Configured(msgspec.Struct, frozen=True):
    """What settings that are there say already: paths, (service, source, evidence) of feeds, addresses, sources."""

    paths: frozenset[Path] = frozenset()
    feeds: frozenset[tuple[str, str, str]] = frozenset()
    pulled: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()


NOTHING = Configured()


def settings_sections(
    answers: ShopAnswers,
    feeds: ShopFeeds,
    catalogue: Path | None,
    before: Configured = NOTHING,
    port: int | None = None,
) -> list[FileSection]:
    """What the settings lack. `port`: where it has to listen, if not where it does."""
    paths = [path.resolve() for path in (catalogue, answers.backstage) if path is not None]
    paths = [path for path in paths if path not in before.paths]
    shown = {} if answers.tenant is None else {"tenant": answers.tenant}
    if answers.authorization_file is not None:
        shown["authorization_file"] = str(answers.authorization_file.resolve())
    pulls = [
        {"tool": "alertmanager", "url": address} for address in answers.alertmanagers if address not in before.pulled
    ]
    grafana = (
        (f"  # - {{tool: grafana, url: {said(answers.grafana)}, authorization: Bearer …}}  # with a viewer's token",)
        if answers.grafana and answers.grafana not in before.pulled
        else ()
    )
    return [
        FileSection("port", "Where it listens.", () if port is None else (f"port: {port}",), is_scalar=True),
        FileSection("catalogue", "The services.", tuple(f"  - {said(str(path))}" for path in paths)),
        FileSection(
            "feeds",
            "Asked every minute whether users are fine. Check with: nearmiss feeds check --config nearmiss.yaml",
            tuple(
                f"  {'' if feed.is_sure else '# '}- {flow(feed.setting(shown))}  # {_why(feed)}"
                for feed in feeds.feeds
                if _name(feed) not in before.feeds
            ),
        ),
        FileSection(
            "pulls",
            "Asked every minute what is silenced, and by whom.",
            (*(f"  - {flow(each)}" for each in pulls), *grafana),
        ),
        FileSection(
            "secrets",
            "By which tools prove who they are.",
            tuple(
                f"  {name}: [{said(secret)}]" for name, secret in answers.secrets.items() if name not in before.secrets
            ),
        ),
    ]


def _why(feed: PlannedFeed) -> str:
    return f"{feed.told_by}, score {feed.score:.2f}" + ("" if feed.is_whole else "; add requests: the raw counter")


def _name(feed: PlannedFeed) -> tuple[str, str, str]:
    entry = feed.catalogue_entry()
    return entry["service"], entry["source"], entry["evidence"]


def paste(answers: ShopAnswers) -> Iterator[str]:
    """The exact lines for the other side."""
    scheme, _, host = answers.address.partition("://")
    if answers.prometheus:
        yield ""
        yield "# prometheus.yml: one more Alertmanager; paging is not touched"
        yield "alerting:"
        yield "  alertmanagers:"
        yield f"    - static_configs: [{{targets: ['{host.partition('/')[0]}']}}]"
        if scheme == "https":
            yield "      scheme: https"
        yield "      path_prefix: /ingest/prometheus"
        if secret := answers.secrets.get("prometheus"):
            yield f"      authorization: {{credentials: {said(secret)}}}"
    if answers.github:
        yield ""
        yield f"# GitHub: https://github.com/organizations/{answers.github}/settings/hooks/new"
        yield f"#   Payload URL: {answers.address}/ingest/github"
        yield "#   Content type: application/json"
        yield f"#   Secret: {answers.secrets.get('github', '')}"
        yield "#   Events: deployments, deployment statuses, deployment reviews, workflow runs, pushes, pull requests,"
        yield "#     releases, issue comments, secret scanning alerts"
    if answers.pagerduty:
        yield ""
        yield "# PagerDuty: Integrations, Generic Webhooks (v3), New Webhook"
        yield f"#   Webhook URL: {answers.address}/ingest/pagerduty"
        yield "#   Scope: Account; all incident events"
        yield "#   PagerDuty makes the secret: put it into `secrets` of nearmiss.yaml in place of the one there"
    if answers.grafana:
        yield ""
        yield f"# Grafana: {answers.grafana}, Administration, Service accounts: a viewer's token for `pulls`"
