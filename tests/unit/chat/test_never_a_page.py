"""No paging integration is reachable: not by any scheme that the library speaks, and not by an address behind one."""

from __future__ import annotations

import pytest
from apprise.manager_plugins import NotificationManager
from pydantic import ValidationError

from monitor.chat.apprise_allowed import ALLOWED, CHATS, MAIL, PAGERS, NotAllowed, check_address
from monitor.chat.apprise_sender import AppriseAddress
from monitor.chat.settings import TeamSettings

SPOKEN: list[str] = sorted(NotificationManager().schemas())  # type: ignore[no-untyped-call]  # comes without types
"""Every scheme of the installed library."""
PAGING = {
    "betterstack", "firehydrant", "goalert", "goalerts", "ilert", "incidentio", "jira", "opsgenie", "opsimate",
    "pagerduty", "pagertree", "pover", "pushover", "signl4", "spike", "splunk", "squadcast", "victorops", "xmatters",
    "aprs", "dapnet", "lfg", "sns", "twilio", "vonage", "voipms", "clicksend", "signal", "whatsapp", "ntfy", "gotify",
    "prowl", "pbul", "json", "jsons", "xml", "form", "apprise", "apprises", "mqtt", "amqp", "ifttt", "hassio",
}  # fmt: skip
"""Pagers, phones, pushes to a phone, and what passes messages on to anything."""


def test_the_list_of_pagers_is_of_this_library() -> None:
    assert len(PAGING & set(SPOKEN)) >= len(PAGING) - 2
    assert not PAGING & ALLOWED
    assert set(SPOKEN) >= ALLOWED, "an allowed scheme that the library does not speak"
    assert not CHATS & MAIL


@pytest.mark.parametrize("scheme", SPOKEN)
def test_a_scheme_is_refused_unless_it_is_on_the_list(scheme: str) -> None:
    for spelt in (scheme, scheme.upper()):
        address = f"{spelt}://user:password@example.com/token"
        if scheme in ALLOWED:
            assert check_address(address) == scheme
            continue
        with pytest.raises(NotAllowed):
            check_address(address)
        with pytest.raises(NotAllowed):
            AppriseAddress(address)
        with pytest.raises(ValidationError):
            TeamSettings.model_validate({"to": [address]})


@pytest.mark.parametrize("host", PAGERS)
@pytest.mark.parametrize(
    "address",
    [
        "mailto://user:password@example.com?to=service@acme.{}",
        "mailto://user:password@example.com?to=service%40ACME.{}",
        "mailto://user:password@example.com?cc=a%2540{}",
        "mmost://events.{}/token",
        "workflows://hooks.{}/a/b",
        "mailgun://user@example.com/key/service@in.{}",
    ],
)
def test_mail_and_webhooks_to_a_pager_are_refused(host: str, address: str) -> None:
    with pytest.raises(NotAllowed, match="pages people"):
        check_address(address.format(host))


@pytest.mark.parametrize("address", ["", "mailto", "mailto://", "://x", "http://example.com", "https://example.com/x"])
def test_what_is_no_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        check_address(address)
    assert "expected" in str(refused.value)


def test_a_refusal_does_not_show_the_secret() -> None:
    with pytest.raises(NotAllowed) as refused:
        check_address("pagerduty://integration-key-7@api")
    assert "integration-key-7" not in str(refused.value)
