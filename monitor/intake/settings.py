"""What can be set about what arrives: how large, how far ahead of the clock, and who may send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, field_validator

from monitor.core.model.events import DAY, MINUTE
from monitor.located.problems import listed, nearest
from monitor.setting_types import Bytes, Microseconds, Networks, SecretTexts, SettingsGroup, SourceNames

if TYPE_CHECKING:
    from monitor.intake.senders import IntakeAccess


class SenderSettings(SettingsGroup):
    """Limits, and secrets of senders. Durations are microseconds, sizes bytes."""

    future_tolerance: Microseconds = Field(
        default=5 * MINUTE,
        le=90 * DAY,  # who plays a recorded stream quicker than it was needs days of it
        description="How far an event's time may be ahead of its receipt before it is capped.",
        examples=["5m"],
        json_schema_extra={"expected": "a duration such as 5m, at most 90d"},
    )
    body_limit: Bytes = Field(
        default=5 * 1024**2,
        ge=1024,
        le=5 * 1024**2,
        description="Largest request body, before and after decompression.",
        examples=["5MiB"],
        json_schema_extra={"expected": "1KiB to 5MiB"},
    )
    group_limit: Bytes = Field(
        default=32 * 1024**2,
        ge=1024,
        le=32 * 1024**2,
        description="The same for Alertmanager, whose alert groups are unbounded.",
        examples=["32MiB"],
        json_schema_extra={"expected": "1KiB to 32MiB"},
    )
    in_flight_limit: Bytes = Field(
        default=64 * 1024**2,
        ge=1024**2,
        le=64 * 1024**3,
        description=(
            "Total size of concurrent request bodies, beyond the first 64 KiB of each; more get 503 with `Retry-After`."
        ),
        examples=["64MiB"],
        json_schema_extra={"expected": "1MiB to 64GiB"},
    )
    backlog_limit: Bytes = Field(
        default=1024**3,
        ge=1024**2,
        le=1024**4,
        description=(
            "Size of events that may wait for the engine; half of it for sources without a secret. Beyond that, the "
            "sources of which most waits get 503 with `Retry-After` first. Not for Kafka."
        ),
        examples=["1GiB"],
        json_schema_extra={"expected": "1MiB to 1TiB"},
    )
    secrets: dict[str, SecretTexts] = Field(
        default_factory=dict,
        repr=False,
        description="Signing secrets by source; several, separated by commas, while a secret is being rotated.",
        examples=["`secrets: {pagerduty: [THE-SECRET]}` in the file"],
    )
    open_sources: SourceNames = Field(
        default=(),
        description=(
            "Sources that need no secret, such as `statuspage`, or one of their accounts. Beyond loopback, every "
            "other source without a secret is refused."
        ),
        examples=["`open_sources: [statuspage]` in the file"],
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="Networks whose proxies may tell the client certificate of a sender in headers, for secrets of the "
        "form `certificate:SUBJECT`. From elsewhere those headers are dropped.",
        examples=["`trusted_proxies: [10.0.0.0/8]` in the file"],
        json_schema_extra={"expected": "networks such as 10.0.0.0/8 or ::1"},
    )

    def access_for(self, local: bool) -> IntakeAccess:
        """Who may send as which source; `local`: the address is a loopback one."""
        # Imported here: the decoders are many.
        from monitor.intake.senders import IntakeAccess

        secrets = {
            source: tuple(secret.get_secret_value() for secret in several) for source, several in self.secrets.items()
        }
        return IntakeAccess(secrets, frozenset(self.open_sources), local)

    @field_validator("open_sources")
    @classmethod
    def _are_sources(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from monitor.intake.senders import canonical_names

        return tuple(canonical_names(value).values())

    @field_validator("secrets")
    @classmethod
    def _are_of_known_sources(cls, value: dict[str, tuple[SecretStr, ...]]) -> dict[str, tuple[SecretStr, ...]]:
        # A misspelt source would silently leave the real one unchecked. Imported here: the decoders are many.
        from monitor.decode.registry import SOURCES

        for source, secrets in value.items():
            vendor = source.partition("/")[0]
            if vendor not in SOURCES:
                hint = nearest(vendor, SOURCES)
                what_to_try = f"did you mean {hint}?" if hint else f"expected {listed(SOURCES)}"
                raise ValueError(f"there is no source {vendor!r}; {what_to_try}")
            if not secrets or not all(secrets):
                raise ValueError(f"the secret of {source} is empty; expected a secret, or no entry for the source")
        from monitor.intake.senders import canonical_names

        names = canonical_names(tuple(value))
        return {names[source]: secrets for source, secrets in value.items()}
