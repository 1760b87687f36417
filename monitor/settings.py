"""Gathers what can be set, once: flags before environment before configuration file before default.

Decides what is valid and says everything that is not, all at once; must not act on any of it. Values are handed on,
nobody else reads the file or the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from monitor.chat.settings import ChatSettings, TeamSettings
from monitor.feeds.settings import FeedPull, FeedSettings, unlike
from monitor.intake.settings import SenderSettings
from monitor.kafka.settings import KafkaSettings
from monitor.located.form import say_duration
from monitor.located.nodes import Mapping as LocatedMapping
from monitor.located.nodes import plain, read_located
from monitor.located.problems import Problems, listed, nearest
from monitor.ops.logs import get_logger
from monitor.ops.settings import LogSettings
from monitor.packs.mappings.shipped_tools import expect_folder
from monitor.packs.settings import PackSettings
from monitor.pipeline.settings import PipelineSettings
from monitor.pullers.settings import PullSettings
from monitor.review.auth import Auth, BadAccount, OpenBind, check_bind, is_loopback
from monitor.review.settings import ReviewSettings
from monitor.setting_hints import OF_KIND, PREFIX, Hints, hints_of, origin, what_to_try
from monitor.setting_types import Roles
from monitor.store.settings import RetentionSettings, StoreSettings

if TYPE_CHECKING:
    from monitor.intake.senders import IntakeAccess

NOT_SETTINGS = frozenset(
    {"NEARMISS_DEBUG", "NEARMISS_PAYLOADS", "NEARMISS_CASES", "NEARMISS_MONITOR", "NEARMISS_ACCOUNT", "NEARMISS_TOKEN"}
)
"""Variables of this prefix that are read elsewhere: by the command line and by the tests."""
DURATIONS = frozenset(
    {"watch_every", "lateness", "future_tolerance", "retention.events", "retention.rejects", "retention.not_opened"}
)
"""Settings that are shown as durations."""

_log = get_logger("settings")


class BadSettings(Exception):
    """One or more settings are wrong; `problems` has a line for each, with its name, and never a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Settings(StoreSettings, ReviewSettings, SenderSettings, PipelineSettings, LogSettings, PackSettings):
    """Everything that can be set: what the packages own, and what only the process as a whole has."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. Beyond loopback, accounts are required.",
        examples=["127.0.0.1"],
    )
    port: int = Field(
        default=8080,
        ge=0,
        le=65_535,
        description="Port to listen on; 0 picks a free one.",
        examples=["8080"],
        json_schema_extra={"expected": "a whole number from 0 to 65535"},
    )
    config: Path | None = Field(default=None, description="YAML file with these settings.", examples=["nearmiss.yaml"])
    roles: Roles = Field(
        default=("ingest", "engine", "review"),
        description=(
            "Roles of this process: `ingest` accepts events, `engine` finds near misses, `review` serves the "
            "pages. Several processes on one PostgreSQL database can share them."
        ),
        examples=["ingest,engine,review"],
        json_schema_extra={"expected": "one or more of ingest, engine, review"},
    )
    connections: int = Field(
        default=512,
        ge=16,
        le=65_536,
        description="The most connections at a time. A new one takes the place of the oldest that has not asked "
        "anything yet, else it is answered 503.",
        examples=["512"],
        json_schema_extra={"expected": "a whole number from 16 to 65536"},
    )
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    feeds: tuple[FeedSettings, ...] = Field(
        default=(),
        repr=False,
        description="Feeds that are pulled from a Prometheus and other tools; see [pull feeds](../how-to/feeds.md).",
        examples=[
            "`feeds: [{service: checkout, pull: {prometheus: http://prometheus:9090, preset: blackbox}}]` in the file"
        ],
    )
    pulls: tuple[PullSettings, ...] = Field(
        default=(),
        repr=False,
        description="Alertmanagers and Grafanas that are asked; see [pull from tools](../how-to/pull-from-tools.md).",
        examples=["`pulls: [{tool: alertmanager, url: http://alertmanager:9093}]` in the file"],
    )
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    chat: ChatSettings = Field(default_factory=ChatSettings)

    def access(self) -> IntakeAccess:
        """Who may send as which source."""
        return self.access_for(local=is_loopback(self.host))

    @field_validator("feeds")
    @classmethod
    def _are_different(cls, value: tuple[FeedSettings, ...]) -> tuple[FeedSettings, ...]:
        return unlike(value)

    @model_validator(mode="after")
    def _others_must_sign_in(self) -> Self:
        try:
            check_bind(self.host, self.auth(), signs_in=bool(self.oidc or self.proxy_login))
        except BadAccount as error:
            raise ValueError(f"accounts: {error}; try {hints().many['accounts']}") from None
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
    return said if has_hint else f"{said}; try {what_to_try(hints(), path, error, where)}"


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
    field = ".".join(step for step in path if not step.isdecimal())
    expected = hints().expected.get(field) or OF_KIND.get(kind) or str(error["msg"])
    if kind == "literal_error":
        expected = str(error["ctx"]["expected"]).replace("'", "")
    if kind == "missing":
        return f"{where}{name}: missing; expected a value"
    given = say_duration(error["input"]) if name in DURATIONS and isinstance(error["input"], int) else error["input"]
    shown = "" if _is_secret(path) else f"{given!r}: "
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


@cache
def hints() -> Hints:
    """What to try in place of a wrong setting, as the fields say themselves."""
    return hints_of(_fields(Settings))


def _fields(group: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting by its full name, those of groups and in lists of groups too."""
    for name, field in group.model_fields.items():
        yield above + name, field
        for inner in _groups_in(field.annotation):
            yield from _fields(inner, f"{above}{name}.")


def _groups_in(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _groups_in(part)
