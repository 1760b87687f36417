"""Who gets in: binding, accounts, host and origin checks, and the bound on what is read."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from monitor.core.model.events import SECOND
from monitor.review.auth import Account, Auth, BadAccount, OpenBind, auth_from, check_bind, is_loopback
from monitor.review.guard import (
    IDS_AT_ONCE,
    LARGEST_BODY,
    LOGINS_AT_ONCE,
    MOST_FIELDS,
    SECONDS_A_LOGIN,
    SECONDS_AN_ID,
)
from monitor.review.problems import MOST_ERRORS
from tests.review.conftest import Desk
from tests.support import records

SECRET = "correct horse battery"
TOKEN = "a-long-random-token"
HASHED = "sha256:" + hashlib.sha256(TOKEN.encode()).hexdigest()


def accounts() -> Auth:
    return Auth((Account("ada", "database on call", SECRET), Account("bot", "chat bridge", HASHED)))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]", "::ffff:127.0.0.1"])
def test_loopback_needs_no_login(host: str) -> None:
    assert is_loopback(host)
    check_bind(host, Auth())


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "10.0.0.3", "nearmiss.example.com", "localhost.example.com"])
def test_any_other_address_does(host: str) -> None:
    with pytest.raises(OpenBind, match=r"refusing to listen .* configure at least one account"):
        check_bind(host, Auth())
    check_bind(host, accounts())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ada": {"role": "on call", "secret": "short"}}, "shorter than 12"),
        ({"ada": {"role": " ", "secret": SECRET}}, "no role"),
        ({"ada": {"role": "on call"}}, "no secret"),
        ({"ada": {"secret": SECRET, "pasword": "x"}}, "unknown setting pasword"),
        ({"a:b": {"secret": SECRET}}, "colon"),
        ({"ada": {"secret": "sha256:abc"}}, "64 hex digits"),
    ],
)
def test_an_account_that_cannot_be_used_is_named(given: dict[str, dict[str, str]], said: str) -> None:
    with pytest.raises(BadAccount, match=said):
        auth_from(given)


def test_an_account_must_not_be_there_twice() -> None:
    with pytest.raises(BadAccount, match="twice"):
        Auth((Account("ada", "x", SECRET), Account("ada", "y", SECRET)))


@pytest.mark.parametrize(
    "header", [None, "", "Basic", "Basic !!!", "Basic YQ==", "Bearer ", "Bearer wrong", "Digest x"]
)
def test_anything_else_is_nobody(header: str | None) -> None:
    assert accounts().person(header) is None


@pytest.fixture
async def guarded(desk: Desk) -> AsyncIterator[Desk]:
    await desk.put(records.draft())
    async with desk.client(desk.build(accounts())) as desk.http:
        yield desk


async def test_with_accounts_everything_of_the_reviewers_needs_a_login(guarded: Desk) -> None:
    for path in ("/", "/near-misses/nm-1", "/events", "/api/v1/near-misses", "/api/v1/openapi.json"):
        answer = await guarded.http.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Basic")
    wrong = await guarded.http.get("/", auth=("ada", TOKEN))
    assert wrong.status_code == 401
    # What is not the reviewers' passes the guard, and is not there in this app.
    for path in ("/metrics", "/healthz", "/ingest/events"):
        assert (await guarded.http.get(path)).status_code == 404


def _wrong(name: str, number: int) -> tuple[str, str]:
    return name, f"a wrong secret, number {number}"


async def test_guessing_is_slowed_and_an_honest_login_is_not(guarded: Desk) -> None:
    assert (await guarded.http.get("/", auth=("ada", SECRET))).status_code == 200
    statuses = [(await guarded.http.get("/", auth=_wrong("ada", number))).status_code for number in range(30)]
    assert statuses == [401] * LOGINS_AT_ONCE + [429] * (30 - LOGINS_AT_ONCE)
    refused = await guarded.http.get("/", auth=_wrong("nobody", 0))
    assert refused.status_code == 429, "by address, whatever the name"
    assert int(refused.headers["retry-after"]) == SECONDS_A_LOGIN
    # Who logged in before goes on, also behind the same proxy; who has the right secret and did not, has to wait.
    assert (await guarded.http.get("/", auth=("ada", SECRET))).status_code == 200
    guarded.http.headers["authorization"] = f"Bearer {TOKEN}"
    assert (await guarded.http.get("/")).status_code == 429
    guarded.clock.advance(int(SECONDS_A_LOGIN) * SECOND)
    assert (await guarded.http.get("/")).status_code == 200


async def test_one_account_is_guarded_against_many_addresses(desk: Desk) -> None:
    app = desk.build(accounts())
    statuses = []
    for number in range(LOGINS_AT_ONCE + 1):
        transport = httpx.ASGITransport(app=app, client=(f"192.0.2.{number}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://nearmiss.example") as client:
            statuses.append((await client.get("/", auth=_wrong("ada", number))).status_code)
    assert statuses == [401] * LOGINS_AT_ONCE + [429]


@pytest.mark.parametrize("path", ["/near-misses/{}", "/api/v1/near-misses/{}", "/api/v1/near-misses/{}/audit"])
async def test_ids_of_records_cannot_be_tried_out(desk: Desk, path: str) -> None:
    await desk.put(records.draft())
    statuses = [(await desk.http.get(path.format(f"nm-x{number}"))).status_code for number in range(IDS_AT_ONCE + 5)]
    assert statuses == [404] * IDS_AT_ONCE + [429] * 5
    assert (await desk.http.get(path.format("nm-1"))).status_code == 429
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 200
    desk.clock.advance(int(SECONDS_AN_ID) * SECOND)
    assert (await desk.http.get(path.format("nm-1"))).status_code == 200


async def test_tokens_of_reports_cannot_be_tried_out(desk: Desk) -> None:
    """They are the senders' own, and may be as weak as senders choose."""
    asked = [await desk.http.post("/api/v1/reports/follow", json={"token": f"password-{n}"}) for n in range(65)]
    assert [each.status_code for each in asked] == [404] * IDS_AT_ONCE + [429] * 5


async def test_a_body_that_does_not_come_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.put(records.draft())
    monkeypatch.setattr("monitor.review.guard.BODY_SECONDS", 0.0)

    async def never() -> AsyncIterator[bytes]:
        yield b"text="
        await asyncio.Event().wait()

    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await desk.http.post("/near-misses/nm-1/comments", content=never(), headers=headers)
    assert answer.status_code == 408


async def test_a_browser_logs_in_with_a_password_and_acts_under_its_role(guarded: Desk) -> None:
    answer = await guarded.http.get("/", auth=("ada", SECRET))
    assert answer.status_code == 200
    assert "Signed in as database on call" in answer.text
    guarded.http.auth = ("ada", SECRET)
    assert (await guarded.accept()).json()["decided_by"] == "database on call"


async def test_a_client_logs_in_with_a_token(guarded: Desk) -> None:
    guarded.http.headers["authorization"] = f"Bearer {TOKEN}"
    await guarded.decide("nm-1", decision="dismiss", reason="duplicate")
    trail = await guarded.get("/near-misses/nm-1/audit")
    assert trail["items"][-1]["by"] == "chat bridge"


@pytest.mark.parametrize("host", ["evil.example.com", "localhost.evil.example.com", "10.0.0.3:8080", ""])
async def test_without_a_login_only_this_machine_is_answered(desk: Desk, host: str) -> None:
    answer = await desk.http.get("/", headers={"host": host})
    assert answer.status_code == 421
    for good in ("localhost", "127.0.0.1:8080", "[::1]:8080"):
        assert (await desk.http.get("/", headers={"host": good})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8080"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://evil.example.com"}, 403),
        ({"origin": "http://localhost:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "http://[::1]:8080]"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost:8080"}, 403),
    ],
)
async def test_a_form_of_another_site_is_refused(desk: Desk, headers: dict[str, str], status: int) -> None:
    await desk.put(records.draft())
    form = {"decision": "start_review"}
    answer = await desk.http.post("/near-misses/nm-1/decision", data=form, headers={"hx-request": "1", **headers})
    assert answer.status_code == status
    assert (await desk.get("/near-misses/nm-1"))["state"] == ("in_review" if status == 200 else "draft")


@pytest.mark.parametrize("path", ["/near-misses/nm-1/comments", "/api/v1/near-misses/nm-1/comments"])
async def test_a_body_has_a_bound_whether_or_not_it_says_its_length(desk: Desk, path: str) -> None:
    await desk.put(records.draft())
    large = b"text=" + b"x" * LARGEST_BODY

    async def in_parts() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65_536):
            yield large[start : start + 65_536]

    headers = {"content-type": "application/json" if "api" in path else "application/x-www-form-urlencoded"}
    assert (await desk.http.post(path, content=large, headers=headers)).status_code == 413
    assert (await desk.http.post(path, content=in_parts(), headers=headers)).status_code == 413


async def test_refusals_carry_the_same_headers(desk: Desk) -> None:
    answer = await desk.http.get("/", headers={"host": "evil.example.com"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/report", "application/x-www-form-urlencoded", b"&" * (MOST_FIELDS + 1)),
        ("/near-misses/nm-1/decision", "Application/X-WWW-Form-Urlencoded; charset=utf-8", b"a=b&" * 50_000),
        ("/report", "application/x-www-form-urlencoded", b"story=" + b"%" * (LARGEST_BODY // 3 + 1)),
        ("/api/v1/reports", "application/json", b"{" + b'"a\\\\":1,' * 20_000 + b'"b":1}'),
        ("/api/v1/reports", "application/json", json.dumps({f"k{n}": n for n in range(MOST_FIELDS + 1)}).encode()),
    ],
)
async def test_fields_without_an_end_are_not_read(desk: Desk, path: str, kind: str, body: bytes) -> None:
    answer = await desk.http.post(path, content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert len(answer.content) < 4096


async def test_a_text_may_be_full_of_quotes_and_escapes(desk: Desk) -> None:
    await desk.put(records.draft())
    text = 'she said "no", \\ 100 % & more ' * 300
    path = "/near-misses/nm-1/comments"
    assert (await desk.http.post("/api/v1" + path, json={"text": text})).status_code in (200, 201)
    assert (await desk.http.post(path, data={"text": text})).status_code == 303


async def test_an_answer_describes_the_first_mistakes_and_counts_the_others(desk: Desk) -> None:
    wrong = {f"{'x' * 200}{number}": number for number in range(400)}
    answer = await desk.http.post("/api/v1/reports", json=wrong)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == MOST_ERRORS
    assert answer.json()["detail"].endswith(" more")
    many = "&".join(f"state=s{number}" for number in range(3000))
    assert len((await desk.http.get(f"/api/v1/near-misses?{many}")).content) < 16_384
