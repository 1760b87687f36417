"""What one must tell to pull a feed, checked when it is read. Connects to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.core.model.events import HOUR, MINUTE, SECOND
from monitor.feeds import checkly, datadog, queries
from monitor.feeds.openslo import Indicator, NoIndicator, indicator
from monitor.feeds.queries import Feed, Rule, Tool
from monitor.feeds.states import STALE_AFTER, FeedName, Limits
from monitor.packs.located import plain, read_located
from monitor.packs.problems import Problems
from monitor.setting_types import Microseconds, Secret

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


class FeedSettings(BaseModel):
    """One feed: what it watches, whom to ask, and what counts as clear and hurt."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    service: str = Field(min_length=1, max_length=255, description="The service whose users are watched.")
    source: str = Field(default="", max_length=200, description="Source of the events; default: preset or tool.")
    evidence: str = Field(
        default="", max_length=200, description="Default: synthetic for probes, status_post for statuspage, else slo."
    )
    environment: str | None = Field(default=None, description="Environment of the events.")
    prometheus: str | None = Field(default=None, pattern=_ADDRESS, description="Address, with its path prefix.")
    datadog: str | None = Field(default=None, pattern=r"^[\w-]{1,100}$", description="Id of an SLO of the type metric.")
    google: str | None = Field(
        default=None,
        pattern=r"^projects/[^/\s\"]+/services/[^/\s\"]+/serviceLevelObjectives/[^/\s\"]+$",
        description="Full name of an SLO of Google Cloud Monitoring.",
    )
    checkly: str | None = Field(default=None, pattern=r"^[\w-]{1,100}$", description="Id of a check.")
    statuspage: str | None = Field(default=None, pattern=_ADDRESS, description="Address of a public page.")
    address: str | None = Field(default=None, pattern=_ADDRESS, description="Another address of datadog and so on.")
    authorization: Secret | None = Field(default=None, description="The Authorization header, such as `Bearer …`.")
    authorization_file: Path | None = Field(default=None, description="File with it, read for each request.")
    headers: dict[str, Secret] = Field(default_factory=dict, description="Further headers, such as DD-API-KEY.")
    tenant: str | None = Field(default=None, description="The X-Scope-OrgID header, for Mimir, Cortex and others.")
    preset: Literal["blackbox", "sloth", "pyrra", "grafana_slo", "gatus", "kuma", "openslo"] | None = Field(
        default=None, description="Whose series are asked."
    )
    match: str | None = Field(default=None, pattern=r"^\{[^{}]+\}$", description="Label matchers of the series.")
    requests: str | None = Field(default=None, min_length=1, description="Selector of the raw counter of requests.")
    good: str | None = Field(default=None, min_length=1, description="openslo: selector of the counter of good ones.")
    bad: str | None = Field(default=None, min_length=1, description="openslo: selector of the counter of bad ones.")
    objective: float | None = Field(default=None, gt=0, lt=1, description="openslo: such as 0.999.")
    file: Path | None = Field(default=None, description="openslo: a document with the four above.")
    alert: str | None = Field(default=None, min_length=1, description="An alerting rule whose silence is good news.")
    component: str = Field(default="", description="statuspage: a component; default: all.")
    clear: str | None = Field(default=None, min_length=1, description="PromQL: a series while users are fine.")
    hurt: str | None = Field(default=None, min_length=1, description="PromQL: a series while users are hit.")
    step: Microseconds = Field(default=MINUTE, ge=10 * SECOND, le=5 * MINUTE, description="Interval of the steps.")
    scrape: Microseconds | None = Field(
        default=None, ge=SECOND, le=HOUR, description="How often the target is scraped, or a check runs."
    )
    floor: float | None = Field(default=None, ge=0, description="Fewest requests in five minutes that mean anything.")
    samples: int | None = Field(
        default=None, ge=1, description="Fewest scrapes in five minutes that mean anything; default: 80 %."
    )

    @model_validator(mode="after")
    def _says_whom_to_ask(self) -> Self:
        told = [name for name in _TOOLS if getattr(self, name) is not None]
        if not told:
            raise ValueError(
                "prometheus: missing; expected the address of a Prometheus, or one of datadog, google, checkly and "
                "statuspage; try prometheus: http://prometheus:9090"
            )
        if len(told) > 1:
            raise ValueError(f"the feed of {self.service}: expected one of {' and '.join(told)}; try two feeds")
        if self.authorization is not None and self.authorization_file is not None:
            raise ValueError(
                f"the feed of {self.service}: expected authorization or authorization_file; try the file alone"
            )
        return self

    @model_validator(mode="after")
    def _says_what_to_ask(self) -> Self:
        whose = f"the feed of {self.service}"
        asked = [self.preset, self.alert, self.clear or self.hurt]
        if self.prometheus is None:
            extra = [name for name in _OF_PROMETHEUS if getattr(self, name) is not None]
            if extra:
                raise ValueError(f"{whose}: {extra[0]} is for a Prometheus; try leaving it out")
            return self
        if sum(each is not None for each in asked) != 1:
            raise ValueError(
                f"{whose}: expected either a preset, or clear and hurt, or an alert; "
                "try {service: checkout, prometheus: http://prometheus:9090, preset: blackbox}"
            )
        if self.preset is None and self.alert is None and (self.clear is None or self.hurt is None):
            raise ValueError(f"{whose}: expected both clear and hurt; try preset: blackbox")
        if self.preset in _RATIOS and self.requests is None:
            raise ValueError(
                f"{whose}: {self.preset} records a ratio, which an idle service has too; "
                "expected the raw counter; try requests: 'http_requests_total{service=\"checkout\"}'"
            )
        if self.preset == "grafana_slo" and self.match is None:
            raise ValueError(f"{whose}: expected the SLO; try match: '{{grafana_slo_uuid=\"…\"}}'")
        if self.scrape is not None and self.scrape > _LONGEST_SCRAPE:
            raise ValueError(f"{whose}: expected scrape to be at most 2m, for a Prometheus; try scrape: 1m")
        if self.preset == "openslo":
            self._indicator()
        return self

    def _indicator(self) -> Indicator:
        """Raises ValueError."""
        whose = f"the feed of {self.service}"
        if self.file is not None:
            problems = Problems()
            node = read_located(self.file, problems)
            if node is None:
                raise ValueError(f"{whose}: {next(iter(problems), self.file)}")
            try:
                return indicator(plain(node))
            except NoIndicator as error:
                raise ValueError(f"{whose}: {self.file}: {error}; try requests, good and objective instead") from None
        if self.requests is None or self.objective is None or (self.good is None) == (self.bad is None):
            raise ValueError(
                f"{whose}: expected a file, or requests, objective and either good or bad; "
                "try {preset: openslo, file: slo.yaml}"
            )
        return Indicator(self.service, self.requests, self.objective, self.good, self.bad)

    @property
    def tool(self) -> Tool:
        """Whom it asks."""
        return next(name for name in _TOOLS if getattr(self, name) is not None)

    @property
    def name(self) -> FeedName:
        """Its identity."""
        usual = "synthetic" if self.preset in _PROBES or self.tool == "checkly" else "slo"
        if self.tool == "statuspage":
            usual = "status_post"
        source = self.source or self.preset or ("alert" if self.alert else self.tool)
        return FeedName(self.service, source, self.evidence or usual, self.environment)

    def feed(self) -> Feed:
        """Ready to be asked. Raises ValueError where an OpenSLO document is no longer right."""
        parts = self._parts() if self.tool == "prometheus" else {}
        query = queries.joined(parts) if self.tool == "prometheus" else getattr(self, self.tool)
        return Feed(
            self.name,
            self.address or self.prometheus or self.statuspage or _ADDRESSES[self.tool],
            self.component if self.tool == "statuspage" else query,
            self.step,
            self._limits(parts),
            self._headers(),
            self.tool,
            None if self.alert is None else Rule(self.alert, self.match or ""),
            None if self.authorization_file is None else str(self.authorization_file),
            {"datadog": datadog.MOST, "checkly": checkly.LONGEST // self.step}.get(self.tool, queries.MOST_STEPS),
            queries.SETTLE + _SETTLE.get(self.tool, 0),
        )

    def _headers(self) -> dict[str, str]:
        headers = {name: value.get_secret_value() for name, value in self.headers.items()}
        if self.tenant is not None:
            headers["X-Scope-OrgID"] = self.tenant
        if self.authorization is not None:
            headers["Authorization"] = self.authorization.get_secret_value()
        return headers

    def _parts(self) -> dict[str, str]:
        label = _LABELS.get(self.preset or "", "service")
        match = self.match or f"{{{label}={queries.quoted(self.service)}}}"
        requests = self.requests or ""
        if self.alert is not None:
            return queries.raw(self.requests) if self.requests else {}
        if self.preset == "openslo":
            found = self._indicator()
            return queries.openslo(found.good, found.bad, found.requests, found.objective)
        presets = {"blackbox": queries.blackbox, "gatus": queries.gatus, "kuma": queries.kuma}
        if self.preset in presets:
            return presets[self.preset](match)
        ratios = {"sloth": queries.sloth, "pyrra": queries.pyrra, "grafana_slo": queries.grafana_slo}
        if self.preset in ratios:
            return ratios[self.preset](match, requests)
        return queries.own(self.clear or "", self.hurt or "", self.requests)

    def _limits(self, parts: dict[str, str]) -> Limits:
        scrape = self.scrape or _SCRAPE.get(self.tool, _USUAL_SCRAPE)
        # A fifth of the scrapes may be missing. Gatus counts its checks where others count requests.
        samples = 1 if self.tool == "checkly" else max(2, _WINDOW * 8 // (10 * scrape))
        floor = 1.0 if self.preset == "gatus" else 30.0
        return Limits(
            floor if self.floor is None else self.floor,
            samples if self.samples is None else self.samples,
            "samples" in parts or self.tool in ("datadog", "google", "checkly"),
            "requests" in parts or self.tool in ("datadog", "google"),
            max(STALE_AFTER, 2 * scrape),
            needs_proof=self.alert is not None,
            impact_only=self.tool == "statuspage",
        )


_TOOLS: tuple[Tool, ...] = ("prometheus", "datadog", "google", "checkly", "statuspage")
_OF_PROMETHEUS = ("preset", "match", "requests", "good", "bad", "objective", "file", "alert", "clear", "hurt", "tenant")


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
