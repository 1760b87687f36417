"""What one must tell to read from Kafka, checked when it is read.

Knows the names of the decoders, so that a topic cannot be mapped to one that does not exist; connects to nothing.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    field_validator,
    model_validator,
)

from monitor.decode.registry import SOURCES, meant_tools
from monitor.setting_types import SettingsGroup

_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^\s:,\[\]]+):([0-9]{1,5})")
_CANONICAL = frozenset({"events", "canonical"})
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_PATTERN = re.compile(r"[A-Za-z0-9._*?-]{1,249}")
_WILD = re.compile(r"[*?]")
_INTERNAL = "__"
_LAST_PORT = 65_535
INTAKE = "intake"
"""The part that is the reading of all topics for the engines that share one, and the pace of time there. It has one
owner, so that a backlog of several partitions is merged by event time, and time waits for it."""
PLACES_OF_INTAKE = f"{INTAKE}:"
"""What the names of its places begin with: an engine that reads the same topics by itself has other ones."""


def _to_topics(value: object) -> object:
    """A variable cannot hold a mapping: `ops.events=events,alerts=alertmanager` stands for one."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    for topic, equals, _ in pairs:
        if not equals:
            raise ValueError(f"{topic.strip()!r} names no decoder; expected TOPIC=SOURCE, such as ops.events=events")
    return {topic.strip(): source.strip() for topic, _, source in pairs}


def _to_text(value: object) -> object:
    """A password that looks like a number is still a password, and must not be shown in an error about its type."""
    return str(value) if isinstance(value, int | float) else value


class KafkaLogin(SettingsGroup):
    """How the brokers know us, and we them."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Protocol of the listener at `bootstrap`.", examples=["SASL_SSL"]
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None,
        description="SASL mechanism; required with SASL_PLAINTEXT and SASL_SSL.",
        examples=["SCRAM-SHA-512"],
    )
    username: str | None = Field(default=None, description="SASL user.", examples=["nearmiss"])
    password: Annotated[SecretStr | None, BeforeValidator(_to_text)] = Field(
        default=None, description="The password of `username`.", examples=["THE-PASSWORD"]
    )
    ca_file: FilePath | None = Field(
        default=None,
        description="CA of the brokers' certificates; default: the system's.",
        examples=["/etc/ssl/certs/ca-certificates.crt"],
    )
    cert_file: FilePath | None = Field(default=None, description="Client certificate.", examples=["client.crt"])
    key_file: FilePath | None = Field(
        default=None, description="Private key of `cert_file`, without a passphrase.", examples=["client.key"]
    )

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        return self.security_protocol in ("SASL_PLAINTEXT", "SASL_SSL")

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        login = {"sasl_mechanism": self.sasl_mechanism, "username": self.username, "password": self.password}
        if self.uses_sasl and not all(login.values()):
            absent = ", ".join(name for name, told in login.items() if not told)
            raise ValueError(
                f"security_protocol {self.security_protocol} needs {absent} as well; expected all of a login; "
                "try `sasl_mechanism: SCRAM-SHA-512` with `username:` and `password:`"
            )
        if not self.uses_sasl and any(login.values()):
            given = ", ".join(name for name, told in login.items() if told)
            raise ValueError(
                f"{given} would not be used with security_protocol {self.security_protocol}; expected SASL_SSL "
                "(or SASL_PLAINTEXT inside a trusted network); try `security_protocol: SASL_SSL`"
            )
        if not self.uses_tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError(
                "ca_file, cert_file and key_file would not be used with security_protocol "
                f"{self.security_protocol}; expected SSL or SASL_SSL; try `security_protocol: SSL`"
            )
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError(
                "cert_file and key_file belong together; expected both or none; "
                "try `cert_file: client.crt` with `key_file: client.key`"
            )
        return self


class KafkaTopics(SettingsGroup):
    """Which topics of which brokers are read and written."""

    bootstrap: str = Field(
        default="",
        description="Bootstrap brokers, host:port, separated by commas; empty: Kafka is not used.",
        examples=["kafka-1:9092"],
    )
    topics: Annotated[dict[str, str], BeforeValidator(_to_topics)] = Field(
        default_factory=dict,
        description=(
            "Each topic and its decoder: `events` for the canonical format, otherwise as in `/ingest/{source}`. "
            "`*` and `?` match existing and future topics. In the environment: `TOPIC=SOURCE`, separated by "
            "commas."
        ),
        examples=["ops.events=events"],
    )
    journal: str = Field(
        default="",
        description="The topic among `topics` for webhooks and reports; its decoder is `events`.",
        examples=["ops.events"],
    )
    canonical: str = Field(
        default="",
        description=(
            "Topic shared by several engines, partitioned by service; each engine owns some partitions. Replaces "
            "`journal`; empty: one engine reads all `topics`."
        ),
        examples=["nearmiss.events"],
    )
    dead_letter: str = Field(
        default="",
        description="Dead-letter topic for rejects, with their coordinates; empty: none.",
        examples=["nearmiss.rejects"],
    )
    reject_limit: int = Field(
        default=100,
        ge=0,
        le=1_000_000,
        description="Rejects in a row after which a topic is halted; 0: never.",
        examples=["100"],
        json_schema_extra={"expected": "a whole number from 0 to 1000000"},
    )
    on_lost_position: Literal["stop", "continue"] = Field(
        default="stop",
        description=(
            "If a topic no longer holds the next offset: `stop`, or `continue` at its oldest message and count the gap."
        ),
        examples=["stop"],
    )
    group: str | None = Field(
        default="nearmiss",
        description="Consumer group to which offsets are committed for dashboards; null: none. It is never read.",
        examples=["nearmiss"],
    )

    @property
    def is_used(self) -> bool:
        return bool(self.bootstrap)

    @property
    def has_patterns(self) -> bool:
        return any(_WILD.search(name) for name in self.topics)

    @property
    def names(self) -> tuple[str, ...]:
        """The topics that are named in full; they have to exist."""
        return tuple(name for name in self.topics if not _WILD.search(name))

    def source_of(self, topic: str) -> str | None:
        """The decoder that reads a topic, None for one that is not read."""
        entry = self.entry_of(topic)
        return None if entry is None else self.topics[entry]

    def entry_of(self, topic: str) -> str | None:
        """The name or pattern among `topics` that stands for a topic.

        A name goes before a pattern, a longer pattern before a shorter one. Kafka's own topics, the dead letters and
        the canonical topic fit no pattern.
        """
        if topic in self.topics:
            return topic
        if topic in (self.dead_letter, self.canonical) or topic.startswith(_INTERNAL):
            return None
        fitting = (pattern for pattern in self.topics if _WILD.search(pattern) and fnmatchcase(topic, pattern))
        return max(fitting, key=lambda pattern: (len(pattern), pattern), default=None)

    @field_validator("bootstrap")
    @classmethod
    def _check_bootstrap(cls, value: str) -> str:
        if not value:
            return value
        addresses = [address.strip() for address in value.split(",")]
        for address in addresses:
            match = _HOST_AND_PORT.fullmatch(address)
            if match is None or not 0 < int(match[2]) <= _LAST_PORT:
                raise ValueError(f"{address!r} is no broker address; expected host:port, such as kafka-1:9092")
        return ",".join(addresses)

    @field_validator("topics")
    @classmethod
    def _check_topics(cls, value: dict[str, str]) -> dict[str, str]:
        for topic, source in value.items():
            if _PATTERN.fullmatch(topic) is None or topic in (".", ".."):
                raise ValueError(
                    f"{topic!r} is no name of a topic; expected letters, digits, '.', '_' and '-', and in a pattern "
                    "'*' and '?'"
                )
            if source.partition("/")[0] not in SOURCES:
                raise ValueError(f"topic {topic!r}: nothing reads {source!r}; {meant_tools(source)}")
        return value

    @field_validator("dead_letter", "canonical")
    @classmethod
    def _check_dead_letter(cls, value: str) -> str:
        if value and _TOPIC.fullmatch(value) is None:
            raise ValueError(f"{value!r} is no name of a topic; expected letters, digits, '.', '_' and '-'")
        return value

    @model_validator(mode="after")
    def _check_circle(self) -> Self:
        if self.dead_letter and self.dead_letter in self.topics:
            raise ValueError(
                f"dead_letter {self.dead_letter!r} is one of `topics`, so rejects would loop; "
                "expected a separate topic; try `dead_letter: nearmiss.rejects`"
            )
        return self

    @model_validator(mode="after")
    def _check_canonical(self) -> Self:
        if not self.canonical:
            return self
        if not self.bootstrap:
            raise ValueError("canonical needs bootstrap; expected the brokers; try `bootstrap: kafka-1:9092`")
        if self.journal:
            raise ValueError("canonical and journal exclude each other; expected one of them; try removing journal")
        if self.group is None:
            raise ValueError(
                "canonical needs group, by which engines find each other; expected a name; try `group: nearmiss`"
            )
        if self.canonical in self.topics or self.canonical == self.dead_letter:
            raise ValueError(
                f"canonical {self.canonical!r} is one of `topics` or the dead letters, so messages would "
                "loop; expected a separate topic; try `canonical: nearmiss.events`"
            )
        return self

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if self.canonical:
            return self
        if bool(self.bootstrap) != bool(self.topics):
            raise ValueError(
                "bootstrap and topics belong together; expected both or neither; try "
                "`topics: {ops.events: events}` with `journal: ops.events`"
            )
        canonical = self.journal in self.names and self.topics[self.journal] in _CANONICAL
        if not canonical and (self.bootstrap or self.journal):
            able = ", ".join(topic for topic in self.names if self.topics[topic] in _CANONICAL)
            raise ValueError(
                f"journal {self.journal!r} is no topic of canonical events; expected one of `topics` whose decoder is "
                f"`events`{f': {able}' if able else ''}. What arrives by webhook and what people report goes there; "
                f"try `journal: {(able or 'ops.events').partition(', ')[0]}`"
            )
        return self


class KafkaSettings(KafkaLogin, KafkaTopics):
    """Where events come from when Kafka is the journal; without brokers and topics Kafka is not used."""

    @property
    def shared(self) -> KafkaSettings:
        """The same cluster, seen by the engines that share the canonical topic."""
        return self.model_copy(
            update={"topics": {self.canonical: "events"}, "journal": self.canonical, "canonical": ""}
        )
