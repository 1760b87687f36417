"""Settings that would let anyone in, as mistakes leave them behind: they stop the start, with a line that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_settings import problems, write

SLACK = "chat: {slack_token: xoxb-1, slack_signing_secret: %s, teams: {pay: {channel: C0123}}}"
OIDC = "oidc: {issuer: https://idp, client_id: a, client_secret: %s, address: https://nm}"
PROXY = "proxy_login: {networks: [%s]}"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (SLACK % "''", "chat.slack_signing_secret: is empty"),
        (SLACK % "' '", "chat.slack_signing_secret: is empty"),
        (OIDC % "''", "oidc.client_secret: is empty"),
        ("pulls: [{tool: grafana, url: http://g, authorization: ''}]", "authorization: is empty"),
        (PROXY % "0.0.0.0/0", "proxy_login.networks: 0.0.0.0/0 is every address"),
        (PROXY % "'10.0.0.7/32', '::/0'", "proxy_login.networks: ::/0 is every address"),
        ("trusted_proxies: [0.0.0.0/0]", "trusted_proxies: 0.0.0.0/0 is every address"),
        (
            "accounts: {ada: {secret: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}}",
            "the hash of an empty text",
        ),
    ],
)
def test_what_would_let_anyone_in_stops_the_start(tmp_path: Path, text: str, field: str) -> None:
    (line,) = problems({"config": write(tmp_path, text)})
    assert field in line
    assert "try" in line
