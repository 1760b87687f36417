"""What one must tell to pull from a tool, checked when it is read. Connects to nothing."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from monitor.core.model.events import HOUR, MINUTE, SECOND
from monitor.pullers.target import Target
from monitor.setting_types import Microseconds

_DECODED_AS = {"alertmanager": "alertmanager-api", "grafana": "grafana-annotations"}


class PullSettings(BaseModel):
    """One tool that is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    tool: Literal["alertmanager", "grafana"] = Field(description="What answers.")
    url: str = Field(pattern=r"^https?://[^\s@?#]+$", description="Its address, with its path prefix.")
    name: str = Field(
        default="",
        max_length=100,
        pattern=r"^[A-Za-z0-9._~-]*$",
        description="Keeps several apart; the replicas of one cluster share it.",
    )
    authorization: SecretStr | None = Field(default=None, description="The Authorization header, such as `Bearer …`.")
    tenant: str | None = Field(default=None, description="The X-Scope-OrgID header, for Mimir and others.")
    every: Microseconds = Field(default=MINUTE, ge=10 * SECOND, le=HOUR, description="How often it is asked.")

    def target(self) -> Target:
        """Ready to be asked."""
        source = "/".join(filter(None, (_DECODED_AS[self.tool], self.name)))
        headers = {} if self.tenant is None else {"X-Scope-OrgID": self.tenant}
        if self.authorization is not None:
            headers["Authorization"] = self.authorization.get_secret_value()
        return Target(self.tool, self.url, source, self.every, headers)
