"""Settings that cannot work are refused when they are read, with what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor.kafka.settings import KafkaSettings

GOOD: dict[str, object] = {"bootstrap": "kafka-1:9092", "topics": {"ops.events": "events"}, "journal": "ops.events"}
LOGIN: dict[str, object] = {
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "SCRAM-SHA-512",
    "username": "nearmiss",
    "password": "a secret",
}


def test_without_settings_kafka_is_not_used() -> None:
    assert not KafkaSettings().is_used


def test_topics_may_be_told_in_one_line() -> None:
    settings = KafkaSettings.model_validate({**GOOD, "topics": "ops.events=events, am=alertmanager/eu"})

    assert settings.is_used
    assert settings.topics == {"ops.events": "events", "am": "alertmanager/eu"}


@pytest.mark.parametrize("bootstrap", ["kafka:9092", "a:1, b:65535", "[::1]:9092", "10.0.0.1:9092"])
def test_addresses_that_are_taken(bootstrap: str) -> None:
    assert KafkaSettings.model_validate({**GOOD, "bootstrap": bootstrap}).bootstrap == bootstrap.replace(" ", "")


def test_a_login_is_taken_and_its_password_not_shown() -> None:
    settings = KafkaSettings.model_validate({**GOOD, **LOGIN})

    assert settings.uses_sasl
    assert settings.uses_tls
    assert "a secret" not in repr(settings)


def test_a_password_that_looks_like_a_number_is_one_all_the_same() -> None:
    settings = KafkaSettings.model_validate({**GOOD, **LOGIN, "password": 1234})

    assert settings.password is not None
    assert settings.password.get_secret_value() == "1234"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"bootstrap": "kafka"}, "expected host:port, such as kafka-1:9092"),
        ({"bootstrap": "kafka:0"}, "'kafka:0' is no broker address"),
        ({"bootstrap": "kafka:65536"}, "no broker address"),
        ({"bootstrap": "a:1,,b:2"}, "'' is no broker address"),
        ({"bootstrap": ""}, "bootstrap and topics belong together"),
        ({"topics": {}}, "bootstrap and topics belong together"),
        ({"topics": {"a b": "events"}}, "'a b' is no name of a topic"),
        ({"topics": {"a": "evnts"}}, "topic 'a': nothing reads 'evnts'; did you mean events?"),
        ({"journal": ""}, "journal '' is no topic of canonical events; expected one of `topics`"),
        ({"journal": "other"}, "whose decoder is `events`: ops.events. "),
        ({"topics": {"ops.events": "alertmanager"}}, "journal 'ops.events' is no topic of canonical events"),
        ({"topics": "a"}, "'a' names no decoder; expected TOPIC=SOURCE"),
        ({"security_protocol": "SASL_SSL"}, "needs sasl_mechanism, username, password as well"),
        ({**LOGIN, "password": ""}, "needs password as well"),
        ({**LOGIN, "security_protocol": "SSL"}, "username, password would not be used with security_protocol SSL"),
        ({"ca_file": __file__}, "would not be used with security_protocol PLAINTEXT"),
        ({"security_protocol": "SSL", "cert_file": __file__}, "cert_file and key_file belong together"),
        ({"security_protocol": "SSL", "ca_file": "/nonexistent/ca.pem"}, "ca_file"),
        ({"retries": 3}, "retries"),
    ],
)
def test_what_cannot_work_is_refused(changed: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KafkaSettings.model_validate({**GOOD, **changed})

    assert expected in str(caught.value)


def test_tls_with_a_client_certificate_is_taken(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()

    settings = KafkaSettings.model_validate(
        {
            **GOOD,
            "security_protocol": "SSL",
            "ca_file": tmp_path / "ca.pem",
            "cert_file": tmp_path / "cert.pem",
            "key_file": tmp_path / "key.pem",
        }
    )

    assert settings.uses_tls
    assert not settings.uses_sasl


@pytest.mark.parametrize(
    ("topic", "source"),
    [
        ("ops.events", "events"),
        ("team-a.alerts", "alertmanager"),
        ("team-a.pages.alerts", "pagerduty"),
        ("team-b.alerts.1", None),
        ("__consumer_offsets", None),
        ("dead.alerts", None),
    ],
)
def test_a_name_goes_before_a_pattern_and_the_longer_pattern_before_the_shorter(topic: str, source: str | None) -> None:
    topics = {"ops.events": "events", "*.alerts": "alertmanager", "team-?.pages.*": "pagerduty", "__*": "events"}
    settings = KafkaSettings.model_validate({**GOOD, "topics": topics, "dead_letter": "dead.alerts"})

    assert settings.source_of(topic) == source
    assert settings.names == ("ops.events",)
    assert settings.has_patterns


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"topics": {"a b*": "events"}}, "in a pattern '*' and '?'"),
        ({"topics": {"ops.*": "events"}}, "is no topic of canonical events"),
        ({"topics": {"ops.*": "events"}, "journal": "ops.*"}, "is no topic of canonical events"),
        ({"dead_letter": "ops.events"}, "would loop; expected a separate topic"),
        ({"dead_letter": "dead letters"}, "is no name of a topic"),
        ({"reject_limit": -1}, "greater than or equal to 0"),
        ({"on_lost_position": "skip"}, "'stop' or 'continue'"),
    ],
)
def test_what_cannot_be_meant(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        KafkaSettings.model_validate({**GOOD, **wrong})
