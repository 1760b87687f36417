"""Client certificates that a trusted proxy tells: the habits of nginx, Envoy and Traefik, and what proves nothing."""

from __future__ import annotations

import pytest

from monitor.core.model.events import Instant
from monitor.decode import signatures
from monitor.decode.signatures import TOKEN

DN = "certificate:CN=kube-apiserver, O=acme"
SPIFFE = "certificate:spiffe://acme/ns/kube/sa/api"


def check(secrets: list[str], **headers: str) -> str | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return signatures.verify(TOKEN, secrets, named, b"{}", Instant(0))


@pytest.mark.parametrize(
    "headers",
    [
        {"ssl_client_verify": "SUCCESS", "ssl_client_subject_dn": "CN=kube-apiserver,O=acme"},
        {"x_ssl_client_verify": "SUCCESS", "x_ssl_client_s_dn": "CN=kube-apiserver,O=acme"},
        {"x_forwarded_client_cert": 'By=spiffe://x;Hash=46;Subject="CN=kube-apiserver,O=acme";URI=;DNS=a.example'},
        {"x_forwarded_tls_client_cert_info": "Subject%3D%22CN%3Dkube-apiserver%2CO%3Dacme%22"},
    ],
)
def test_a_subject_that_a_proxy_tells(headers: dict[str, str]) -> None:
    assert check([DN], **headers) is None
    assert check(["certificate:CN=kube-apiserver"], **headers) is not None
    assert check([DN, "a-token"], authorization="Bearer a-token") is None


def test_a_certificate_that_was_not_verified_proves_nothing() -> None:
    assert check([DN], ssl_client_verify="FAILED:expired", ssl_client_subject_dn="CN=kube-apiserver,O=acme") is not None
    assert check([DN], ssl_client_subject_dn="CN=kube-apiserver,O=acme") is not None
    assert "trusted proxy" in (check([DN]) or "")


@pytest.mark.parametrize("secret", ["certificate:", "certificate: "])
def test_a_certificate_without_a_subject_is_not_one_that_an_empty_entry_admits(secret: str) -> None:
    assert check([secret], ssl_client_verify="SUCCESS", ssl_client_subject_dn="") is not None
    assert check([secret], x_forwarded_client_cert='Hash=46;Subject=""') is not None


def test_of_several_proxies_the_last_one_counts() -> None:
    forged, true = 'Subject="CN=kube-apiserver,O=acme"', "URI=spiffe://acme/ns/kube/sa/api"
    assert check([SPIFFE], x_forwarded_client_cert=f"{forged},{true}") is None
    assert check([DN], x_forwarded_client_cert=f"{forged},{true}") is not None


def test_an_entry_for_a_certificate_is_no_token() -> None:
    assert check([DN, "a-token"], authorization=f"Bearer {DN}") is not None
