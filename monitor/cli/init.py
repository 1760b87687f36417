"""`nearmiss init`: asks the shop's tools what there is, and writes a catalogue and settings to start from.

Asks and prints; what answers mean, and how the files look, is in `monitor.shop` and `monitor.feeds.discover`.
"""

from __future__ import annotations

import asyncio
import secrets as random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec

from monitor.asking import Caller, QueryFailed, Web
from monitor.cli.arrival import wait_for_first
from monitor.cli.main import FAILED
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.resolving.names import Names
from monitor.feeds.discover import Discovery, discover
from monitor.packs.catalogue.loader import load_catalogues
from monitor.review.auth import is_loopback
from monitor.settings import BadSettings, Settings, load_settings
from monitor.shop import prometheus
from monitor.shop.found import FoundServices
from monitor.shop.kubernetes import take_workloads
from monitor.shop.plan import Configured, ShopAnswers, catalogue_sections, paste, settings_sections
from monitor.shop.text import difference, merged

_SECONDS_OF_KUBECTL = 30
_CATALOGUE_HEAD = (
    "# The services, as the shop's tools told them. Correct by hand: who depends on whom, and which ones users see.\n"
    "# Reference: docs/how-to/catalogue.md. Check with: nearmiss config check --config nearmiss.yaml\n"
)
_SETTINGS_HEAD = (
    "# Settings of nearmiss. Holds secrets: keep it readable for the service alone.\n"
    "# Reference: docs/reference/settings.md. Start with: nearmiss run --config nearmiss.yaml\n"
)


class _Address(click.ParamType[str]):
    """An address of a tool, without the slash at its end."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            parts = urlsplit(value)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            # What only lacks its scheme is given back with one.
            bare = "prometheus:9090" if "//" in value else value
            self.fail(f"{value!r} is no address; try http://{bare}", param, ctx)
        return value.rstrip("/")


_ADDRESS = _Address()


@click.command("init", short_help="Write a catalogue and settings from your tools.")
@click.option("--prometheus", "prometheus_url", type=_ADDRESS, metavar="URL", help="Address of the Prometheus.")
@click.option("--authorization-file", type=click.Path(path_type=Path), help="File with its Authorization header.")
@click.option("--tenant", help="Its X-Scope-OrgID, for Mimir and others.")
@click.option(
    "--alertmanager",
    "alertmanager_url",
    type=_ADDRESS,
    metavar="URL",
    help="Address; default: those that Prometheus names.",
)
@click.option("--grafana", "grafana_url", type=_ADDRESS, metavar="URL", help="Address, for its annotations.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig; kubectl lists the workloads.")
@click.option("--backstage", type=click.Path(path_type=Path), help="File or directory of Backstage entities.")
@click.option("--github", "github_org", metavar="ORG", help="GitHub organisation that will send webhooks.")
@click.option("--pagerduty", is_flag=True, default=None, help="PagerDuty will send webhooks.")
@click.option("--address", type=_ADDRESS, metavar="URL",
              help="Where the shop's tools reach nearmiss.  [default: this machine, the configured port]")  # fmt: skip
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Where to write.")
@click.option("--non-interactive", is_flag=True, help="Ask nothing; take the options as they are.")
@click.option("--write", "overwrite", is_flag=True, help="Apply the diff to files that are there already.")
@click.option("--wait", "wait_seconds", type=click.IntRange(0, 3600), metavar="SECONDS",
              help="Wait so long for the first event.  [default: 300, with --non-interactive 0]")  # fmt: skip
def command(
    prometheus_url: str | None,
    authorization_file: Path | None,
    tenant: str | None,
    alertmanager_url: str | None,
    grafana_url: str | None,
    kubeconfig: Path | None,
    backstage: Path | None,
    github_org: str | None,
    pagerduty: bool | None,
    address: str | None,
    directory: Path,
    non_interactive: bool,
    overwrite: bool,
    wait_seconds: int | None,
) -> None:
    """Ask Prometheus, Alertmanager, Kubernetes and Backstage what there is, and write catalogue.yaml and nearmiss.yaml.

    Prints the lines to paste on the other side, then waits for the first event. Where the files exist, shows what
    would be added as a diff and writes it only with --write; nothing in them is changed or removed. Exits 1 if a tool
    that was named could not be asked.
    """
    catalogue_path, settings_path = directory / "catalogue.yaml", directory / "nearmiss.yaml"
    settings = _settings(settings_path)
    answers = ShopAnswers(
        prometheus=prometheus_url,
        authorization_file=authorization_file,
        tenant=tenant,
        alertmanagers=(alertmanager_url,) if alertmanager_url else (),
        grafana=grafana_url,
        backstage=backstage,
        kubeconfig=kubeconfig,
        github=github_org,
        pagerduty=bool(pagerduty),
        address=address or f"http://127.0.0.1:{_configured_port(settings)}",
    )
    if not non_interactive:
        answers = _asked(answers)
    failures: list[str] = []

    def say(line: str, *, is_failure: bool = False) -> None:
        click.echo(line, err=True)
        if is_failure:
            failures.append(line)

    before_settings = _configured(settings)
    known = _known(answers, catalogue_path, say)
    found, discovery, answers = asyncio.run(_discover(answers, known, say))
    answers = msgspec.structs.replace(answers, secrets=_secrets(answers, settings))
    described = catalogue_sections(found, discovery, known)
    is_described = catalogue_path.exists() or any(section.lines for section in described)
    places = {
        catalogue_path: (_CATALOGUE_HEAD, described),
        settings_path: (
            _SETTINGS_HEAD,
            settings_sections(
                _there(answers),
                discovery,
                catalogue_path if is_described else None,
                before_settings,
                _port(answers, settings),
            ),
        ),
    }
    for path, (head, sections) in places.items():
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if path == catalogue_path and not is_described:
            say("catalogue: no service was found; describe yours by hand: docs/how-to/catalogue.md")
            continue
        if before is None and not any(section.lines for section in sections):
            # A file of comments alone is none that could be read again.
            say(f"{path}: nothing is known that it could say; not written")
            continue
        after, left = merged(before, head, sections)
        _write(path, before, after, overwrite)
        for line in left:
            click.echo(f"# {path}: put by hand: {line}")
    for line in paste(answers):
        click.echo(line)
    # As the file says now: a port that was only proposed, or stands there otherwise, has to be told.
    port = _port(answers, _settings(settings_path))
    with_settings = f" --config {settings_path}" if settings_path.exists() else ""
    run = f"nearmiss run{with_settings}{f' --port {port}' if port else ''}"
    say(f"next: {run}")
    say(f"then: nearmiss sources check{with_settings}{f' --to http://127.0.0.1:{port}' if port else ''}")
    seconds = wait_seconds if wait_seconds is not None else 0 if non_interactive else 300
    if seconds and not asyncio.run(wait_for_first(answers.address, seconds, run, settings_path)):
        raise SystemExit(FAILED)
    if failures:
        raise SystemExit(FAILED)


def _asked(answers: ShopAnswers) -> ShopAnswers:
    """Ask a person for what no option told; an empty answer means that the shop has none."""

    def ask(what: str, given: str | None, read: click.ParamType[Any] = click.STRING) -> str | None:
        if given:
            return given
        said = click.prompt(
            f"{what} (empty: none)",
            default="",
            show_default=False,
            err=True,
            value_proc=lambda text: read.convert(text, None, None) if text else "",
        )
        return str(said) or None

    there = click.Path(exists=True)
    where = ask("Address of your Prometheus", answers.prometheus, _ADDRESS)
    alertmanager = ask(
        "Address of your Alertmanager (those that Prometheus names are found)",
        next(iter(answers.alertmanagers), None),
        _ADDRESS,
    )
    grafana = ask("Address of your Grafana", answers.grafana, _ADDRESS)
    kubeconfig = ask("Kubeconfig", str(answers.kubeconfig) if answers.kubeconfig else None, there)
    backstage = ask(
        "File or directory of Backstage entities", str(answers.backstage) if answers.backstage else None, there
    )
    github = ask("GitHub organisation", answers.github)
    pagerduty = answers.pagerduty or click.confirm("Does PagerDuty page people?", default=False, err=True)
    return msgspec.structs.replace(
        answers,
        prometheus=where,
        alertmanagers=(alertmanager,) if alertmanager else (),
        grafana=grafana,
        kubeconfig=Path(kubeconfig) if kubeconfig else None,
        backstage=Path(backstage) if backstage else None,
        github=github,
        pagerduty=pagerduty,
    )


def _known(answers: ShopAnswers, catalogue_path: Path, say: Callable[..., None]) -> Catalogue:
    """What Backstage and a catalogue that is there already say."""
    paths = [path for path in (answers.backstage, catalogue_path) if path is not None and path.exists()]
    if answers.backstage is None:
        say("backstage: not named; owners come from labels only")
    elif not answers.backstage.exists():
        say(f"backstage: {answers.backstage}: no such file", is_failure=True)
    if not paths:
        return Catalogue()
    loaded = load_catalogues(paths)
    for problem in loaded.errors:
        say(str(problem), is_failure=True)
    return loaded.catalogue


def _there(answers: ShopAnswers) -> ShopAnswers:
    """Without entities that do not exist: a service with them in its settings would not start."""
    is_there = answers.backstage is not None and answers.backstage.exists()
    return answers if is_there else msgspec.structs.replace(answers, backstage=None)


async def _discover(
    answers: ShopAnswers, known: Catalogue, say: Callable[..., None]
) -> tuple[FoundServices, Discovery, ShopAnswers]:
    found, discovery = FoundServices(), Discovery((), (), ())
    if answers.kubeconfig is None:
        say("kubernetes: no kubeconfig named; its workloads are not listed")
    else:
        _workloads(answers.kubeconfig, found, say)
    async with Web() as web:
        where, caller = answers.prometheus, _caller(answers)
        if where is None:
            say("prometheus: not named; services, dependencies and feeds are not looked for")
        else:
            named = await _ask_prometheus(web, where, caller, found, say, answers.address)
            if named is not None:
                if not answers.alertmanagers:
                    answers = msgspec.structs.replace(answers, alertmanagers=tuple(named))
                discovery = await discover(web, where, _with(known, found), caller)
            for problem in discovery.problems:
                say(f"feeds: {problem}", is_failure=True)
        if not answers.alertmanagers:
            say("alertmanager: none named or found; what is silenced stays unseen")
        for address in answers.alertmanagers:
            await _ask_alertmanager(web, address, say)
    return found, discovery, answers


async def _ask_prometheus(
    web: Web, address: str, caller: Caller, found: FoundServices, say: Callable[..., None], own: str
) -> list[str] | None:
    """Fill `found`, and give the Alertmanagers that it notifies, other than nearmiss at `own`.

    None: it cannot be asked at all.
    """
    base = address.rstrip("/")
    for question, query in prometheus.QUESTIONS.items():
        try:
            status, body = await web.post(f"{base}/api/v1/query", {"query": query}, caller)
        except QueryFailed as error:
            say(f"prometheus: {address}: {error}", is_failure=True)
            return None
        if status in (401, 403):
            say(f"prometheus: {address} answers {status}; check --authorization-file", is_failure=True)
            return None
        try:
            prometheus.take(question, prometheus.labels_of(body), found)
        except prometheus.NotPrometheus as error:
            say(f"prometheus: {address} answers {status}, and not as a Prometheus does: {error}", is_failure=True)
            return None
        except prometheus.BadAnswer as error:
            say(f"prometheus: {question}: {error}", is_failure=True)
    try:
        prometheus.take_rules((await web.get(f"{base}/api/v1/rules", {"type": "alert"}, caller))[1], found)
        peers = (await web.get(f"{base}/api/v1/alertmanagers", {}, caller))[1]
        named = prometheus.alertmanagers_of(peers, own)
    except (QueryFailed, prometheus.BadAnswer) as error:
        say(f"prometheus: {error}", is_failure=True)
        return []
    edges = sum(len(service.depends_on) for service in found.services.values())
    say(f"prometheus: {len(found.services)} services, {edges} dependencies")
    if not edges:
        unseen = "no traces_service_graph_request_total and no istio_requests_total"
        say(f"prometheus: {unseen}: dependencies are unknown; add depends_on by hand")
    return named


async def _ask_alertmanager(web: Web, address: str, say: Callable[..., None]) -> None:
    try:
        status, _ = await web.get(f"{address.rstrip('/')}/api/v2/status", {}, Caller())
    except QueryFailed as error:
        say(f"alertmanager: {address}: {error}", is_failure=True)
        return
    say(f"alertmanager: {address} answers {status}", is_failure=status != 200)


def _caller(answers: ShopAnswers) -> Caller:
    headers = {} if answers.tenant is None else {"X-Scope-OrgID": answers.tenant}
    return Caller(headers, None if answers.authorization_file is None else str(answers.authorization_file))


def _workloads(kubeconfig: Path, found: FoundServices, say: Callable[..., None]) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        say("kubernetes: there is no kubectl on this machine; its workloads are not listed", is_failure=True)
        return
    words = [kubectl, f"--kubeconfig={kubeconfig}", "get", "deployments,statefulsets,daemonsets", "-A", "-o", "json"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_SECONDS_OF_KUBECTL, check=False)
        if done.returncode:
            say(f"kubernetes: {done.stderr.decode(errors='replace').strip()[:300]}", is_failure=True)
            return
        say(f"kubernetes: {take_workloads(done.stdout, found)} workloads")
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        say(f"kubernetes: {error}", is_failure=True)


def _with(known: Catalogue, found: FoundServices) -> Catalogue:
    """For feeds to be matched with: what is written already, and what was found."""
    names = Names(known)
    fresh = {
        each.name: Service(each.name, tuple(sorted(each.depends_on)), each.user_facing)
        for each in found.services.values()
        if not known.knows(names.joined(each.name))
    }
    return msgspec.structs.replace(known, services={**known.services, **fresh})


def _settings(settings_path: Path) -> Settings | None:
    """The settings that are there. Raises ClickException where they are wrong."""
    if not settings_path.exists():
        return None
    try:
        return load_settings({"config": str(settings_path)}, {})
    except BadSettings as error:
        raise click.ClickException(f"{settings_path} has to be right before it is added to: {error}") from None


def _configured(settings: Settings | None) -> Configured:
    """What settings that are there say already."""
    if settings is None:
        return Configured()
    names = [each.name for each in settings.feeds]
    return Configured(
        frozenset(path.resolve() for path in settings.catalogue),
        frozenset((name.service, name.source, name.evidence) for name in names),
        frozenset(each.url for each in settings.pulls),
        frozenset(settings.secrets),
    )


def _secrets(answers: ShopAnswers, settings: Settings | None) -> dict[str, str]:
    """For each tool that has to prove itself: the one that is configured, or a new one.

    A Prometheus has to where nearmiss is reached from other machines; one that delivers already goes on as it does.
    """
    before = {} if settings is None else {name: each[0].get_secret_value() for name, each in settings.secrets.items()}
    wanted = [*(["github"] if answers.github else []), *(["pagerduty"] if answers.pagerduty else [])]
    is_new = settings is None or not (is_loopback(settings.host) or "prometheus" in settings.open_sources)
    if answers.prometheus and ((is_new and not is_loopback(_host(answers))) or "prometheus" in before):
        wanted.append("prometheus")
    return {name: before.get(name) or random.token_urlsafe(24) for name in wanted}


def _host(answers: ShopAnswers) -> str:
    return urlsplit(answers.address).hostname or ""


def _port(answers: ShopAnswers, settings: Settings | None) -> int | None:
    """Where `--address` says that it listens on this machine, if the settings say another port."""
    asked = urlsplit(answers.address).port
    return asked if asked != _configured_port(settings) and is_loopback(_host(answers)) else None


def _configured_port(settings: Settings | None) -> int:
    return int(Settings.model_fields["port"].default if settings is None else settings.port)


def _write(path: Path, before: str | None, after: str, overwrite: bool) -> None:
    if after == before:
        click.echo(f"{path}: nothing to add")
        return
    if before is not None and not overwrite:
        click.echo(difference(str(path), before, after), nl=False)
        click.echo(f"{path}: not changed; apply this with --write")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_text(after, encoding="utf-8")
    click.echo(f"{path}: written")
