"""Gathers what can be set, once: flags before environment before configuration file before default.

Decides what is valid and says everything that is not, all at once; must not act on any of it. Values are handed on,
nobody else reads the file or the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from monitor.access_ports import Access as AccessStore
from monitor.chat_settings import ChatSettings, TeamSettings
from monitor.core.model.events import DAY, MINUTE, SECOND
from monitor.feed_settings import FeedPull, FeedSettings, unlike
from monitor.kafka.settings import KafkaSettings
from monitor.ops.logs import get_logger
from monitor.packs.located import Mapping as LocatedMapping
from monitor.packs.located import plain, read_located
from monitor.packs.mappings.shipped_tools import expect_folder
from monitor.packs.problems import Problems, listed, nearest
from monitor.ports import Clock, Retention
from monitor.pull_settings import PullSettings
from monitor.review.auth import Auth, BadAccount, OpenBind, check_bind, is_loopback
from monitor.review.budget import DEFAULT_A_WEEK
from monitor.review.sign_in.people import SignIn
from monitor.samples import OF_FIELD, OF_KIND, PREFIX, SAMPLES_OF_MANY, origin, what_to_try
from monitor.setting_types import Bytes, KeptFor, Microseconds, Networks, Paths, Roles, SecretTexts, SourceNames
from monitor.sign_in_settings import AccessSettings, AccountSettings, OidcSettings, ProxySettings, auth_of, sign_in_of

if TYPE_CHECKING:
    from monitor.intake.access import IntakeAccess

NOT_SETTINGS = frozenset(
    {"NEARMISS_DEBUG", "NEARMISS_PAYLOADS", "NEARMISS_CASES", "NEARMISS_MONITOR", "NEARMISS_ACCOUNT", "NEARMISS_TOKEN"}
)
"""Variables of this prefix that are read elsewhere: by the command line and by the tests."""

_log = get_logger("settings")


class BadSettings(Exception):
    """One or more settings are wrong; `problems` has a line for each, with its name, and never a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class RetentionSettings(_Group):
    """How long what is not a record is kept. Records, their trail and the counts are kept for ever."""

    events: KeptFor = Field(
        default=90 * DAY,
        ge=DAY,
        description=(
            "TTL of events in journal and history, by event time; null keeps them. Unread events are never deleted."
        ),
    )
    events_size: Bytes | None = Field(
        default=None,
        ge=1024**2,
        description=(
            "Approximate size limit of stored events; the oldest are deleted first, none of the last day. null: "
            "no limit."
        ),
    )
    rejects: KeptFor = Field(default=90 * DAY, ge=DAY, description="TTL of rejects; null keeps them.")
    rejects_size: Bytes = Field(
        default=256 * 1024**2,
        ge=1024**2,
        description=(
            "Size limit of rejects. One source may take a quarter of it, requests that were refused a sixteenth "
            "together; the oldest of the source over its share are deleted first."
        ),
    )
    not_opened: KeptFor = Field(
        default=90 * DAY,
        ge=DAY,
        description="TTL of the newest 10,000 decisions not to open; their counts stay. null keeps them.",
    )

    def policy(self) -> Retention:
        """As the store takes it."""
        return Retention(self.events, self.rejects, self.not_opened, self.events_size)


class Settings(_Group):
    """Everything that can be set. Durations are microseconds, sizes bytes."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. Beyond loopback, accounts are required.",
    )
    port: int = Field(default=8080, ge=0, le=65_535, description="Port to listen on; 0 picks a free one.")
    database: str = Field(
        default="sqlite:///var/nearmiss.db",
        repr=False,
        pattern=r"^(sqlite:///.|postgresql://.)",
        description="The database: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    rules: Path | None = Field(default=None, description="Directory of rules; default: the shipped rules.")
    mappings: Path | None = Field(
        default=None, description="Directory of own mappings, by which bodies of further tools are read."
    )
    catalogue: Paths = Field(
        default=(),
        description="Catalogue files or directories, in nearmiss or Backstage format.",
    )
    weights: Path | None = Field(
        default=None, description="File of weights of the evidence; without it the weights that are shipped."
    )
    watch_every: Microseconds = Field(
        default=5 * SECOND,
        description="How often rules and catalogue are checked for changes; `0s`: only on SIGHUP.",
    )
    config: Path | None = Field(default=None, description="YAML file with these settings.")
    roles: Roles = Field(
        default=("ingest", "engine", "review"),
        description=(
            "Roles of this process: `ingest` accepts events, `engine` finds near misses, `review` serves the "
            "pages. Several processes on one PostgreSQL database can share them."
        ),
    )
    log_format: Literal["console", "json"] = Field(default="console", description="Log format: text or JSON.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level that is logged."
    )
    lateness: Microseconds = Field(
        default=60 * SECOND, description="How late an event may arrive and still be processed in order."
    )
    future_tolerance: Microseconds = Field(
        default=5 * MINUTE, description="How far an event's time may be ahead of its receipt before it is capped."
    )
    body_limit: Bytes = Field(
        default=5 * 1024**2,
        ge=1024,
        le=5 * 1024**2,
        description="Largest request body, before and after decompression.",
    )
    group_limit: Bytes = Field(
        default=32 * 1024**2,
        ge=1024,
        le=32 * 1024**2,
        description="The same for Alertmanager, whose alert groups are unbounded.",
    )
    in_flight_limit: Bytes = Field(
        default=64 * 1024**2,
        ge=1024**2,
        description=(
            "Total size of concurrent request bodies, beyond the first 64 KiB of each; more get 503 with `Retry-After`."
        ),
    )
    engine_memory: Bytes = Field(
        default=1024**3,
        ge=16 * 1024**2,
        description=(
            "The most that an engine remembers, as it counts it. From nine tenths on the least worth is evicted: see "
            "[Memory](../how-to/deploy.md#memory). With a shared topic, of all partitions together."
        ),
    )
    connections: int = Field(
        default=512,
        ge=16,
        le=65_536,
        description="The most connections at a time. A new one takes the place of the oldest that has not asked "
        "anything yet, else it is answered 503.",
    )
    secrets: dict[str, SecretTexts] = Field(
        default_factory=dict,
        repr=False,
        description="Signing secrets by source; several, separated by commas, while a secret is being rotated.",
    )
    open_sources: SourceNames = Field(
        default=(),
        description=(
            "Sources that need no secret, such as `statuspage`, or one of their accounts. Beyond loopback, every "
            "other source without a secret is refused."
        ),
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="Networks whose proxies may tell the client certificate of a sender in headers, for secrets of the "
        "form `certificate:SUBJECT`. From elsewhere those headers are dropped.",
    )
    accounts: dict[str, AccountSettings] = Field(
        default_factory=dict,
        repr=False,
        description="Who may review, by name. Required beyond loopback.",
    )
    oidc: OidcSettings | None = Field(
        default=None, repr=False, description="The OpenID Connect provider; see [sign in](../how-to/sign-in.md)."
    )
    proxy_login: ProxySettings | None = Field(default=None, description="A proxy in front that signs people in.")
    group_access: dict[str, AccessSettings] = Field(
        default_factory=dict, description="What members of a group of the provider or the proxy may do, by its name."
    )
    review_budget: int = Field(
        default=DEFAULT_A_WEEK,
        ge=0,
        description=(
            "Drafts per team and week. Lower-ranked ones are folded in the queue and can still be reviewed; 0 "
            "folds nothing."
        ),
    )
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    feeds: tuple[FeedSettings, ...] = Field(
        default=(),
        repr=False,
        description="Feeds that are pulled from a Prometheus and other tools; see [pull feeds](../how-to/feeds.md).",
    )
    pulls: tuple[PullSettings, ...] = Field(
        default=(),
        repr=False,
        description="Alertmanagers and Grafanas that are asked; see [pull from tools](../how-to/pull-from-tools.md).",
    )
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    chat: ChatSettings = Field(default_factory=ChatSettings)

    def auth(self) -> Auth:
        """The accounts, ready to check credentials against."""
        return auth_of(self.accounts)

    def sign_in(self, clock: Clock, access: AccessStore) -> SignIn:
        """Every way in that is configured."""
        return sign_in_of(self.auth(), clock, access, self.oidc, self.proxy_login, self.group_access)

    def access(self) -> IntakeAccess:
        """Who may send as which source."""
        # Imported here: the decoders are many.
        from monitor.intake.access import IntakeAccess

        secrets = {
            source: tuple(secret.get_secret_value() for secret in several) for source, several in self.secrets.items()
        }
        return IntakeAccess(secrets, frozenset(self.open_sources), is_loopback(self.host))

    @field_validator("feeds")
    @classmethod
    def _are_different(cls, value: tuple[FeedSettings, ...]) -> tuple[FeedSettings, ...]:
        return unlike(value)

    @field_validator("open_sources")
    @classmethod
    def _are_sources(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from monitor.intake.access import canonical_names

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
        from monitor.intake.access import canonical_names

        names = canonical_names(tuple(value))
        return {names[source]: secrets for source, secrets in value.items()}

    @model_validator(mode="after")
    def _others_must_sign_in(self) -> Self:
        try:
            check_bind(self.host, self.auth(), signs_in=bool(self.oidc or self.proxy_login))
        except BadAccount as error:
            raise ValueError(f"accounts: {error}; try {SAMPLES_OF_MANY['accounts']}") from None
        except OpenBind as error:
            raise ValueError(f"host: {error}") from None
        return self


def load_settings(overrides: Mapping[str, object], environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. `overrides` come from flags; None among them means that the flag was not given.

    Raises BadSettings with everything that is wrong. A variable of our prefix that is no setting is a warning in the
    log: another program's configuration may stand beside ours.
    """
    flags = {name: value for name, value in overrides.items() if value is not None}
    variables = _from_environment(os.environ if environ is None else environ)
    problems = Problems()
    file = flags.get("config", variables.get("config"))
    node = read_located(Path(str(file)), problems) if file else None
    if node is not None and not isinstance(node, LocatedMapping):
        problems.error(node.place, "not a mapping", "settings as `name: value`", "`port: 8080` on a line of its own")
        node = None
    written: dict[str, Any] = plain(node) if node is not None else {}  # type: ignore[assignment]  # a mapping, as checked
    merged = _merge(_merge(written, variables), flags)
    if isinstance(own := merged.get("mappings"), str | Path):
        # Secrets and topics may name the tools of own mappings, which have to be known before they are checked.
        expect_folder(Path(own))
    wrong = [str(problem) for problem in problems]
    settings = None
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        said = [_say(each, flags, variables, node) for each in error.errors(include_url=False)]
        wrong += [*said, *(line for line in _say_open_bind(merged) if line not in said)]
    if wrong or settings is None:
        raise BadSettings(wrong)
    return settings


def _say_open_bind(merged: Mapping[str, Any]) -> list[str]:
    """pydantic looks at settings together only when each by itself is right; this one must not wait for that."""
    host = merged.get("host")
    if not isinstance(host, str) or merged.get("accounts"):
        return []
    try:
        check_bind(host, Auth())
    except OpenBind as error:
        return [f"host: {error}"]
    return []


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """NEARMISS_KAFKA__GROUP=a becomes {"kafka": {"group": "a"}}. An empty variable is taken for one not set."""
    found: dict[str, Any] = {}
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or value == "":
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        if path[0] not in Settings.model_fields:
            hint = nearest(path[0], Settings.model_fields)
            _log.warning("unknown_variable", variable=name, did_you_mean=f"{PREFIX}{hint.upper()}" if hint else None)
            continue
        inner = found
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                break
        if isinstance(inner, dict):
            inner[path[-1]] = value
    return found


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = _merge(under, value) if isinstance(value, Mapping) and isinstance(under, Mapping) else value
    return merged


_SECRET = frozenset({"database", "secrets", "accounts", "feeds", "pulls"})
_SECRET_LAST = frozenset({"secret", "password", "slack_token", "slack_signing_secret", "told_secret", "to", "told_to"})


def _say(error: Any, flags: Mapping[str, Any], variables: Mapping[str, Any], node: LocatedMapping | None) -> str:
    """One line about one wrong setting: where it was given, its name, its value unless secret, and what to write."""
    path = [str(step) for step in error["loc"]]
    where = origin(path, flags, variables, node)
    said = _what(path, error, where)
    has_hint = "; try " in said or "did you mean" in said
    return said if has_hint else f"{said}; try {what_to_try(path, error, where)}"


def _what(path: list[str], error: Any, where: str) -> str:
    """What is wrong, and what was expected."""
    name = ".".join(path)
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _known_beside(path)
        hint = nearest(path[-1], known)
        return f"{where}{name}: there is no such setting; " + (
            f"did you mean {hint}?" if hint else f"expected {listed(known)}"
        )
    if kind == "value_error":
        said = str(error["ctx"]["error"])
        shown = f"{error['input']!r}: " if said.startswith("expected") and not _is_secret(path) else ""
        return f"{where}{name}{': ' if name else ''}{shown}{said}"
    expected = OF_FIELD.get(name) or OF_KIND.get(kind) or str(error["msg"])
    if kind == "literal_error":
        expected = str(error["ctx"]["expected"]).replace("'", "")
    if kind == "missing":
        return f"{where}{name}: missing; expected a value"
    shown = "" if _is_secret(path) else f"{error['input']!r}: "
    return f"{where}{name}: {shown}expected {expected}"


def _is_secret(path: list[str]) -> bool:
    return not path or path[0] in _SECRET or bool(_SECRET_LAST & {*path[-2:]})


def _known_beside(path: list[str]) -> list[str]:
    group = groups().get(path[0]) if len(path) > 1 else None
    if len(path) > 1 and path[0] in ("feeds", "pulls"):
        group = FeedSettings if path[0] == "feeds" else PullSettings
        if path[2:3] == ["pull"] and len(path) > 3:
            group = FeedPull
    if path[:2] == ["chat", "teams"] and len(path) > 3:
        group = TeamSettings
    return list((group or Settings).model_fields)


def groups() -> dict[str, type[BaseModel]]:
    """The settings that are groups of settings, by name."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
