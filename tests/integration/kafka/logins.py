"""Users of the broker: how they log in, what they may do, and readers and commands that run as one of them."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from pydantic import SecretStr

from monitor.app.metrics import Metrics
from monitor.core.model.events import MINUTE
from monitor.kafka.settings import KafkaSettings
from monitor.kafka.source import KafkaReader
from monitor.ops.clock import ManualClock
from tests.integration.kafka.conftest import NOON
from tests.support.kafka import GUEST, SASL_PASSWORD, SASL_USER, KafkaBroker
from tests.support.service import kafka_environment

_TOPIC, _LITERAL, _ALLOW = 2, 3, 3
_RIGHTS = {"read": 3, "write": 4, "describe": 8}


async def grant(admin: AIOKafkaAdminClient, topic: str, *rights: str) -> None:
    """Let the guest use a topic in these ways."""
    for right in rights:
        request = CreateAclsRequest(_TOPIC, topic, _LITERAL, f"User:{GUEST}", "*", _RIGHTS[right], _ALLOW)
        answer = await admin._send_request(request)
        assert answer.to_object()["creation_responses"][0]["error_code"] == 0


def login(
    broker: KafkaBroker, topic: str, user: str = SASL_USER, mechanism: str = "PLAIN", password: str = SASL_PASSWORD
) -> KafkaSettings:
    """Settings that read this topic as this user."""
    return KafkaSettings(
        bootstrap=broker.sasl_bootstrap,
        topics={topic: "events"},
        journal=topic,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=mechanism,
        username=user,
        password=SecretStr(password),
    )


def as_guest(broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that are called from now on log in as the guest."""
    environment = kafka_environment(
        broker.sasl_bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-256",
        username=GUEST,
        password=SASL_PASSWORD,
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def reader_of(settings: KafkaSettings, metrics: Metrics, timeout: float = 10.0) -> KafkaReader:
    """A reader by these settings, a minute past noon; the test closes it."""
    return KafkaReader(settings, ManualClock(NOON + MINUTE), metrics, future_tolerance=MINUTE, timeout=timeout)
