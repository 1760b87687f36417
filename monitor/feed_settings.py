"""What one must tell to pull a feed, checked when it is read. Connects to nothing."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from monitor.core.model.events import MINUTE, SECOND
from monitor.feeds import queries
from monitor.feeds.states import FeedName, Limits
from monitor.setting_types import Microseconds

_LABELS = {"blackbox": "service", "sloth": "sloth_service", "pyrra": "slo"}


class FeedSettings(BaseModel):
    """One feed: what it watches, whom to ask, and what counts as clear and hurt."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    service: str = Field(min_length=1, max_length=255, description="The service whose users are watched.")
    source: str = Field(default="", max_length=200, description="Source of the events; default: the preset's name.")
    evidence: str = Field(default="", max_length=200, description="Default: synthetic for blackbox, else slo.")
    environment: str | None = Field(default=None, description="Environment of the events.")
    prometheus: str = Field(pattern=r"^https?://[^\s@?#]+$", description="Address, with its path prefix.")
    authorization: SecretStr | None = Field(default=None, description="The Authorization header, such as `Bearer …`.")
    tenant: str | None = Field(default=None, description="The X-Scope-OrgID header, for Mimir, Cortex and others.")
    preset: Literal["blackbox", "sloth", "pyrra"] | None = Field(default=None, description="Whose series are asked.")
    match: str | None = Field(default=None, pattern=r"^\{[^{}]+\}$", description="Label matchers of a preset's series.")
    requests: str | None = Field(default=None, min_length=1, description="Selector of the raw counter of requests.")
    clear: str | None = Field(default=None, min_length=1, description="PromQL: a series while users are fine.")
    hurt: str | None = Field(default=None, min_length=1, description="PromQL: a series while users are hit.")
    step: Microseconds = Field(default=MINUTE, ge=10 * SECOND, le=5 * MINUTE, description="Interval of the steps.")
    floor: float = Field(default=30, ge=0, description="Fewest requests in five minutes that mean anything.")
    samples: int = Field(default=8, ge=1, description="Fewest scrapes in five minutes that mean anything.")

    @model_validator(mode="after")
    def _says_what_to_ask(self) -> Self:
        try_ = "try {service: checkout, prometheus: http://prometheus:9090, preset: blackbox}"
        if (self.preset is None) == (self.clear is None and self.hurt is None):
            raise ValueError(f"the feed of {self.service}: expected either a preset, or clear and hurt; {try_}")
        if self.preset is None and (self.clear is None or self.hurt is None):
            raise ValueError(f"the feed of {self.service}: expected both clear and hurt; {try_}")
        if self.preset in ("sloth", "pyrra") and self.requests is None:
            raise ValueError(
                f"the feed of {self.service}: {self.preset} records a ratio, which an idle service has too; "
                "expected the raw counter; try requests: 'http_requests_total{service=\"checkout\"}'"
            )
        return self

    @property
    def name(self) -> FeedName:
        """Its identity."""
        evidence = self.evidence or ("synthetic" if self.preset == "blackbox" else "slo")
        return FeedName(self.service, self.source or self.preset or "prometheus", evidence, self.environment)

    def feed(self) -> queries.Feed:
        """Ready to be asked."""
        label = _LABELS.get(self.preset or "", "service")
        match = self.match or f"{{{label}={queries.quoted(self.service)}}}"
        requests = self.requests or ""
        parts: dict[str, str]
        if self.preset == "blackbox":
            parts = queries.blackbox(match)
        elif self.preset == "sloth":
            parts = queries.sloth(match, requests)
        elif self.preset == "pyrra":
            parts = queries.pyrra(match, requests)
        else:
            parts = queries.own(self.clear or "", self.hurt or "", self.requests)
        limits = Limits(self.floor, self.samples, "samples" in parts, "requests" in parts)
        headers = {} if self.tenant is None else {"X-Scope-OrgID": self.tenant}
        if self.authorization is not None:
            headers["Authorization"] = self.authorization.get_secret_value()
        return queries.Feed(self.name, self.prometheus, queries.joined(parts), self.step, limits, headers)


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
