"""What one must tell to pull a feed, checked when it is read. Connects to nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, model_validator

from monitor.core.model.events import HOUR, MINUTE, SECOND
from monitor.feeds import checkly, datadog, queries
from monitor.feeds.openslo import Indicator, NoIndicator, indicator
from monitor.feeds.queries import AlertingRule, PulledFeed, Tool
from monitor.feeds.states import STALE_AFTER, FeedName, Limits
from monitor.located.flow import flow
from monitor.located.nodes import plain, read_located
from monitor.located.problems import Problems
from monitor.setting_types import Microseconds, Requests, Secret, SettingsGroup

_LABELS = {"blackbox": "service", "sloth": "sloth_service", "pyrra": "slo", "gatus": "name", "kuma": "monitor_name"}
_PROBES = frozenset({"blackbox", "gatus", "kuma"})
_RATIOS = frozenset({"sloth", "pyrra", "grafana_slo"})
_ADDRESSES: dict[Tool, str] = {
    "datadog": "https://api.datadoghq.com",
    "google": "https://monitoring.googleapis.com",
    "checkly": "https://api.checklyhq.com",
}
_SETTLE: dict[Tool, int] = {"datadog": 3 * MINUTE, "google": 5 * MINUTE, "checkly": MINUTE}
"""Beyond what a Prometheus needs: so long their points keep coming in."""
_SCRAPE: dict[Tool, int] = {"datadog": MINUTE, "google": MINUTE, "checkly": 5 * MINUTE}
_USUAL_SCRAPE = 30 * SECOND
_WINDOW = 5 * MINUTE
_LONGEST_SCRAPE = 2 * MINUTE
"""With more, a Prometheus forgets a sample before the next two can have come."""
_ADDRESS = r"^https?://[^\s@?#]+$"


def _tried(what: str, hint: str) -> dict[str, JsonValue]:
    return {"expected": f"{what}; try {hint}"}


class FeedPull(SettingsGroup):
    """Whom a feed asks, and what counts as clear and hurt."""

    prometheus: str | None = Field(
        default=None,
        pattern=_ADDRESS,
        description="Address, with its path prefix.",
        json_schema_extra=_tried("an address", "prometheus: http://prometheus:9090"),
    )
    datadog: str | None = Field(default=None, pattern=r"^[\w-]{1,100}$", description="Id of an SLO of the type metric.")
    google: str | None = Field(
        default=None,
        pattern=r"^projects/[^/\s\"]+/services/[^/\s\"]+/serviceLevelObjectives/[^/\s\"]+$",
        description="Full name of an SLO of Google Cloud Monitoring.",
        json_schema_extra=_tried("the SLO's full name", "google: projects/…/services/…/serviceLevelObjectives/…"),
    )
    checkly: str | None = Field(default=None, pattern=r"^[\w-]{1,100}$", description="Id of a check.")
    statuspage: str | None = Field(
        default=None,
        pattern=_ADDRESS,
        description="Address of a public page.",
        json_schema_extra=_tried("an address", "statuspage: https://status.example.com"),
    )
    address: str | None = Field(
        default=None,
        pattern=_ADDRESS,
        description="Another address of datadog and so on.",
        json_schema_extra=_tried("an address", "address: https://api.datadoghq.eu"),
    )
    authorization: Secret | None = Field(default=None, description="The Authorization header, such as `Bearer …`.")
    authorization_file: Path | None = Field(default=None, description="File with it, read for each request.")
    headers: dict[str, Secret] = Field(default_factory=dict, description="Further headers, such as DD-API-KEY.")
    tenant: str | None = Field(default=None, description="The X-Scope-OrgID header, for Mimir, Cortex and others.")
    preset: Literal["blackbox", "sloth", "pyrra", "grafana_slo", "gatus", "kuma", "openslo"] | None = Field(
        default=None, description="Whose series are asked."
    )
    match: str | None = Field(
        default=None,
        pattern=r"^\{[^{}]+\}$",
        description="Label matchers of the series.",
        json_schema_extra=_tried("label matchers in braces", "match: '{service=\"checkout\"}'"),
    )
    requests: str | None = Field(default=None, min_length=1, description="Selector of the raw counter of requests.")
    good: str | None = Field(default=None, min_length=1, description="openslo: selector of the counter of good ones.")
    bad: str | None = Field(default=None, min_length=1, description="openslo: selector of the counter of bad ones.")
    objective: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="openslo: such as 0.999.",
        json_schema_extra={"expected": "a number between 0 and 1, such as 0.999"},
    )
    file: Path | None = Field(default=None, description="openslo: a document with the four above.")
    alert: str | None = Field(default=None, min_length=1, description="An alerting rule whose silence is good news.")
    component: str = Field(default="", description="statuspage: a component; default: all.")
    clear: str | None = Field(default=None, min_length=1, description="PromQL: a series while users are fine.")
    hurt: str | None = Field(default=None, min_length=1, description="PromQL: a series while users are hit.")
    step: Microseconds = Field(
        default=MINUTE,
        ge=10 * SECOND,
        le=5 * MINUTE,
        description="Interval of the steps.",
        json_schema_extra={"expected": "10s to 5m"},
    )
    scrape: Microseconds | None = Field(
        default=None,
        ge=SECOND,
        le=HOUR,
        description="How often the target is scraped, or a check runs.",
        json_schema_extra={"expected": "1s to 1h"},
    )
    floor: Requests | None = Field(
        default=None,
        ge=0,
        le=1_000_000_000,
        description="Fewest requests in five minutes that mean anything: `30 requests`.",
        json_schema_extra={"expected": "0 to 1000000000 requests in five minutes"},
    )
    samples: int | None = Field(
        default=None,
        ge=1,
        le=300,
        description="Fewest scrapes in five minutes that mean anything; default: 80 %.",
        json_schema_extra={"expected": "a whole number from 1 to 300"},
    )

    @property
    def tool(self) -> Tool:
        """Whom it asks."""
        return next(name for name in _TOOLS if getattr(self, name) is not None)

    def headers_shown(self) -> dict[str, str]:
        """What each request carries, but for a file's."""
        headers = {name: value.get_secret_value() for name, value in self.headers.items()}
        if self.tenant is not None:
            headers["X-Scope-OrgID"] = self.tenant
        if self.authorization is not None:
            headers["Authorization"] = self.authorization.get_secret_value()
        return headers


class FeedSettings(SettingsGroup):
    """One feed: what it watches, what its events are called, and how it is pulled."""

    service: str = Field(min_length=1, max_length=255, description="The service whose users are watched.")
    source: str = Field(default="", max_length=200, description="Source of the events; default: preset or tool.")
    evidence: str = Field(
        default="", max_length=200, description="Default: synthetic for probes, status_post for statuspage, else slo."
    )
    environment: str | None = Field(default=None, description="Environment of the events.")
    pull: FeedPull = Field(description="Whom to ask, and for what.")

    @model_validator(mode="before")
    @classmethod
    def _is_nested(cls, written: object) -> object:
        if isinstance(written, dict) and (beside := _beside(written)):
            raise ValueError(f"expected {', '.join(beside)} below pull; try {_nested(written)}")
        return written

    @model_validator(mode="after")
    def _says_whom_to_ask(self) -> Self:
        pull = self.pull
        told = [name for name in _TOOLS if getattr(pull, name) is not None]
        if not told:
            raise ValueError(
                "prometheus: missing; expected the address of a Prometheus, or one of datadog, google, checkly and "
                "statuspage; try pull: {prometheus: http://prometheus:9090, preset: blackbox}"
            )
        if len(told) > 1:
            raise ValueError(f"the feed of {self.service}: expected one of {' and '.join(told)}; try two feeds")
        if pull.authorization is not None and pull.authorization_file is not None:
            raise ValueError(
                f"the feed of {self.service}: expected authorization or authorization_file; try the file alone"
            )
        return self

    @model_validator(mode="after")
    def _says_what_to_ask(self) -> Self:
        pull = self.pull
        whose = f"the feed of {self.service}"
        asked = [pull.preset, pull.alert, pull.clear or pull.hurt]
        if pull.prometheus is None:
            extra = [name for name in _OF_PROMETHEUS if getattr(pull, name) is not None]
            if extra:
                raise ValueError(f"{whose}: {extra[0]} is for a Prometheus; try leaving it out")
            return self
        if sum(each is not None for each in asked) != 1:
            raise ValueError(
                f"{whose}: expected either a preset, or clear and hurt, or an alert; "
                "try pull: {prometheus: http://prometheus:9090, preset: blackbox}"
            )
        if pull.preset is None and pull.alert is None and (pull.clear is None or pull.hurt is None):
            raise ValueError(f"{whose}: expected both clear and hurt; try preset: blackbox")
        if pull.preset in _RATIOS and pull.requests is None:
            raise ValueError(
                f"{whose}: {pull.preset} records a ratio, which an idle service has too; "
                "expected the raw counter; try requests: 'http_requests_total{service=\"checkout\"}'"
            )
        if pull.preset == "grafana_slo" and pull.match is None:
            raise ValueError(f"{whose}: expected the SLO; try match: '{{grafana_slo_uuid=\"…\"}}'")
        if pull.scrape is not None and pull.scrape > _LONGEST_SCRAPE:
            raise ValueError(f"{whose}: expected scrape to be at most 2m, for a Prometheus; try scrape: 1m")
        if pull.preset == "openslo":
            self._indicator()
        return self

    def _indicator(self) -> Indicator:
        """Raises ValueError."""
        pull = self.pull
        whose = f"the feed of {self.service}"
        if pull.file is not None:
            problems = Problems()
            node = read_located(pull.file, problems)
            if node is None:
                raise ValueError(f"{whose}: {next(iter(problems), pull.file)}")
            try:
                return indicator(plain(node))
            except NoIndicator as error:
                raise ValueError(f"{whose}: {pull.file}: {error}; try requests, good and objective instead") from None
        if pull.requests is None or pull.objective is None or (pull.good is None) == (pull.bad is None):
            raise ValueError(
                f"{whose}: expected a file, or requests, objective and either good or bad; "
                "try pull: {prometheus: http://prometheus:9090, preset: openslo, file: slo.yaml}"
            )
        return Indicator(self.service, pull.requests, pull.objective, pull.good, pull.bad)

    @property
    def name(self) -> FeedName:
        """Its identity."""
        pull = self.pull
        usual = "synthetic" if pull.preset in _PROBES or pull.tool == "checkly" else "slo"
        if pull.tool == "statuspage":
            usual = "status_post"
        source = self.source or pull.preset or ("alert" if pull.alert else pull.tool)
        return FeedName(self.service, source, self.evidence or usual, self.environment)

    def feed(self) -> PulledFeed:
        """Ready to be asked. Raises ValueError where an OpenSLO document is no longer right."""
        pull = self.pull
        parts = self._parts() if pull.tool == "prometheus" else {}
        query = queries.joined(parts) if pull.tool == "prometheus" else getattr(pull, pull.tool)
        return PulledFeed(
            self.name,
            pull.address or pull.prometheus or pull.statuspage or _ADDRESSES[pull.tool],
            pull.component if pull.tool == "statuspage" else query,
            pull.step,
            self._limits(parts),
            pull.headers_shown(),
            pull.tool,
            None if pull.alert is None else AlertingRule(pull.alert, pull.match or ""),
            None if pull.authorization_file is None else str(pull.authorization_file),
            {"datadog": datadog.MOST, "checkly": checkly.LONGEST // pull.step}.get(pull.tool, queries.MOST_STEPS),
            queries.SETTLE + _SETTLE.get(pull.tool, 0),
        )

    def _parts(self) -> dict[str, str]:
        pull = self.pull
        label = _LABELS.get(pull.preset or "", "service")
        match = pull.match or f"{{{label}={queries.quoted(self.service)}}}"
        requests = pull.requests or ""
        if pull.alert is not None:
            return queries.raw(pull.requests) if pull.requests else {}
        if pull.preset == "openslo":
            found = self._indicator()
            return queries.openslo(found.good, found.bad, found.requests, found.objective)
        presets = {"blackbox": queries.blackbox, "gatus": queries.gatus, "kuma": queries.kuma}
        if pull.preset in presets:
            return presets[pull.preset](match)
        ratios = {"sloth": queries.sloth, "pyrra": queries.pyrra, "grafana_slo": queries.grafana_slo}
        if pull.preset in ratios:
            return ratios[pull.preset](match, requests)
        return queries.own(pull.clear or "", pull.hurt or "", pull.requests)

    def _limits(self, parts: dict[str, str]) -> Limits:
        pull = self.pull
        scrape = pull.scrape or _SCRAPE.get(pull.tool, _USUAL_SCRAPE)
        # A fifth of the scrapes may be missing. Gatus counts its checks where others count requests.
        samples = 1 if pull.tool == "checkly" else max(2, _WINDOW * 8 // (10 * scrape))
        floor = 1.0 if pull.preset == "gatus" else 30.0
        return Limits(
            floor if pull.floor is None else pull.floor,
            samples if pull.samples is None else pull.samples,
            "samples" in parts or pull.tool in ("datadog", "google", "checkly"),
            "requests" in parts or pull.tool in ("datadog", "google"),
            max(STALE_AFTER, 2 * scrape),
            needs_proof=pull.alert is not None,
            impact_only=pull.tool == "statuspage",
        )


_TOOLS: tuple[Tool, ...] = ("prometheus", "datadog", "google", "checkly", "statuspage")
_OF_PROMETHEUS = ("preset", "match", "requests", "good", "bad", "objective", "file", "alert", "clear", "hurt", "tenant")


def _nested(written: dict[str, Any]) -> str:
    """A flat entry as it has to be written. What is or may be a credential is shown as dots."""
    given = written.get("pull")
    below = {**(given if isinstance(given, dict) else {}), **{key: written[key] for key in _beside(written)}}
    if isinstance(floor := below.get("floor"), int | float):
        below["floor"] = f"{floor} requests"
    around = {key: value for key, value in written.items() if key not in below and key != "pull"}
    shown = {key: value if key in FeedSettings.model_fields else "…" for key, value in around.items()}
    return flow({**shown, "pull": {key: _shown(key, value) for key, value in below.items()}})


def _beside(written: dict[str, Any]) -> list[str]:
    """Keys of a pull that stand beside it."""
    return [key for key in written if key in FeedPull.model_fields]


def _shown(key: str, value: object) -> object:
    if key == "headers" and isinstance(value, dict):
        return dict.fromkeys(value, "…")
    is_address = key in ("prometheus", "statuspage", "address")
    if key == "authorization" or key not in FeedPull.model_fields:
        return "…"
    return "…" if is_address and re.match(_ADDRESS, str(value)) is None else value


def unlike(feeds: tuple[FeedSettings, ...]) -> tuple[FeedSettings, ...]:
    """The feeds. Raises ValueError where two have one name: their events could not be told apart."""
    seen: set[FeedName] = set()
    for feed in feeds:
        if feed.name in seen:
            raise ValueError(
                f"two feeds of {feed.service} have the source {feed.name.source} and the evidence "
                f"{feed.name.evidence}; expected another source for one of them; try source: probe-2"
            )
        seen.add(feed.name)
    return feeds
