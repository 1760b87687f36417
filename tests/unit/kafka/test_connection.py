"""Files for the encryption that cannot be used are named before anything connects."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.kafka.connection import Connector
from monitor.kafka.errors import UnusableCertificate
from monitor.kafka.settings import KafkaSettings


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("this is no certificate")
    settings = KafkaSettings(
        bootstrap="a:1", topics={"t": "events"}, journal="t", security_protocol="SSL", ca_file=file
    )

    with pytest.raises(UnusableCertificate, match=r"kafka\.ca_file.*expected certificates in PEM format"):
        Connector(settings, timeout=1, refresh=1)
