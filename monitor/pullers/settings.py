"""What one must tell to pull from a tool, checked when it is read. Connects to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from monitor.asking import Caller
from monitor.core.model.events import HOUR, MINUTE, SECOND
from monitor.pullers.target import Target
from monitor.setting_types import Microseconds, Secret, SettingsGroup

_DECODED_AS = {"alertmanager": "alertmanager-api", "grafana": "grafana-annotations", "kubernetes": "kubernetes"}
_WATCHED = (
    ("api/v1", "events"),
    ("apis/apps/v1", "deployments"),
    ("apis/apps/v1", "statefulsets"),
    ("apis/apps/v1", "daemonsets"),
)
"""Of a Kubernetes API: group and version, and the resource."""


class PullSettings(SettingsGroup):
    """One tool that is asked."""

    tool: Literal["alertmanager", "grafana", "kubernetes"] = Field(description="What answers.")
    url: str = Field(
        pattern=r"^https?://[^\s@?#]+$",
        description="Its address, with its path prefix.",
        json_schema_extra={"expected": "an address; try url: http://alertmanager:9093"},
    )
    name: str = Field(
        default="",
        max_length=100,
        pattern=r"^[A-Za-z0-9._~-]*$",
        description="Keeps several apart; the replicas of one cluster share it.",
    )
    authorization: Secret | None = Field(default=None, description="The Authorization header, such as `Bearer …`.")
    authorization_file: Path | None = Field(
        default=None, description="File with it, or with a bearer token; read for each request."
    )
    tenant: str | None = Field(default=None, description="The X-Scope-OrgID header, for Mimir and others.")
    ca_file: Path | None = Field(
        default=None, description="The authority (PEM) of its certificate; default: the system's."
    )
    namespace: str = Field(
        default="", max_length=63, pattern=r"^[a-z0-9-]*$", description="kubernetes: this one alone; default: all."
    )
    every: Microseconds = Field(
        default=MINUTE,
        ge=10 * SECOND,
        le=HOUR,
        description="How often it is asked.",
        json_schema_extra={"expected": "10s to 1h"},
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.authorization is not None and self.authorization_file is not None:
            raise ValueError(f"{self.url}: expected authorization or authorization_file; try the file alone")
        if self.namespace and self.tool != "kubernetes":
            raise ValueError(f"{self.url}: namespace is for kubernetes; try leaving it out")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError(f"{self.url}: ca_file: {self.ca_file}: no such file; expected certificates in PEM")
        return self

    def targets(self) -> tuple[Target, ...]:
        """Ready to be asked: one, or one for each resource of a Kubernetes."""
        source = "/".join(filter(None, (_DECODED_AS[self.tool], self.name)))
        headers = {} if self.tenant is None else {"X-Scope-OrgID": self.tenant}
        if self.authorization is not None:
            headers["Authorization"] = self.authorization.get_secret_value()
        caller = Caller(headers, None if self.authorization_file is None else str(self.authorization_file))
        ca_file = None if self.ca_file is None else str(self.ca_file)
        within = f"/namespaces/{self.namespace}" if self.namespace else ""
        paths = [f"{api}{within}/{resource}" for api, resource in _WATCHED] if self.tool == "kubernetes" else [""]
        return tuple(Target(self.tool, self.url, source, self.every, caller, path, ca_file) for path in paths)
