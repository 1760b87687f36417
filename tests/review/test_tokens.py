"""Tokens of programs: what they may do, and that they end with what their maker's access rested on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import pytest

from monitor.core.model.events import DAY, Instant
from monitor.ops.clock import SystemClock
from monitor.review.auth import Account, Auth
from monitor.review.permissions import Access, Grants
from monitor.review.sign_in.oidc import Oidc, Provider
from monitor.review.sign_in.people import Proof, SignIn
from tests.review.conftest import HOST, Desk
from tests.review.test_sign_in import PROXIES, SECRET, a_provider, enter, wired
from tests.support import records

ROOT = Account("root", "admin", SECRET, Grants(Access.ADMIN))


async def test_a_token_is_shown_once_scoped_expiring_and_revocable(desk: Desk) -> None:
    await desk.put(records.draft())
    wired(desk, Auth([ROOT]))
    admin = desk.client(desk.app, auth=("root", SECRET))
    made = (await admin.post("/api/v1/tokens", json={"name": "chat bridge", "access": "viewer", "days": 30})).json()
    secret = made.pop("token")
    [kept] = (await admin.get("/api/v1/tokens")).json()["items"]
    assert kept == made
    assert kept["last_used_at"] is None
    assert secret not in repr(await desk.store.access.tokens())

    bearer = {"authorization": f"Bearer {secret}"}
    assert (await desk.http.get("/api/v1/near-misses/nm-1", headers=bearer)).status_code == 200
    moved = await desk.http.post("/api/v1/near-misses/nm-1/decision", json={"decision": "start_review"}, headers=bearer)
    assert moved.status_code == 403
    [used] = (await admin.get("/api/v1/tokens")).json()["items"]
    assert used["last_used_at"] is not None

    desk.clock.advance(30 * DAY + 1)
    assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 401
    again = (await admin.post("/api/v1/tokens", json={"name": "x", "teams": {"search": "lead"}, "days": 1})).json()
    other = {"authorization": f"Bearer {again['token']}"}
    assert (await desk.http.get("/api/v1/near-misses/nm-1", headers=other)).status_code == 404
    assert (await admin.delete(f"/api/v1/tokens/{again['id']}")).status_code == 204
    assert (await desk.http.get("/api/v1/near-misses", headers=other)).status_code == 401


async def a_token(http: httpx.AsyncClient, **asked: Any) -> dict[str, str]:
    """The header of a new token, made by whom this client is."""
    made = await http.post("/api/v1/tokens", json={"name": "bridge", "access": "viewer", "days": 300, **asked})
    assert made.status_code == 201, made.text
    return {"authorization": f"Bearer {made.json()['token']}"}


@pytest.mark.parametrize(
    "accounts",
    [[], [Account("root", "admin", SECRET + "!", Grants(Access.ADMIN))], [Account("toor", "admin", SECRET)]],
    ids=["removed", "another secret", "renamed"],
)
async def test_a_token_ends_with_the_account_of_its_maker(desk: Desk, accounts: list[Account]) -> None:
    other = Account("ada", "admin", SECRET + " of ada", Grants(Access.ADMIN))
    wired(desk, Auth([ROOT, other]))
    bearer = await a_token(desk.client(desk.app, auth=("root", SECRET)))
    assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 200
    wired(desk, Auth([*accounts, other]))
    assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 401
    admin = desk.client(desk.app, auth=("ada", SECRET + " of ada"))
    [shown] = (await admin.get("/api/v1/tokens")).json()["items"]
    assert shown["is_refused"] is True
    wired(desk, Auth([ROOT]))
    assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 200


async def test_a_token_may_do_at_most_what_its_maker_may_now(desk: Desk) -> None:
    await desk.put(records.draft())
    wired(desk, Auth([ROOT]))
    bearer = await a_token(desk.client(desk.app, auth=("root", SECRET)), access="admin")
    decide = "/api/v1/near-misses/nm-1/decision", {"decision": "start_review"}
    for grants, seen, decided in (
        (Grants(Access.VIEWER), 200, 403),
        (Grants(teams={"search": Access.LEAD}), 404, 404),
        (Grants(teams={"payments": Access.VIEWER}), 200, 403),
        (Grants(Access.REVIEWER), 200, 200),
    ):
        wired(desk, Auth([Account("root", "guest", SECRET, grants)]))
        assert (await desk.http.get("/api/v1/near-misses/nm-1", headers=bearer)).status_code == seen, grants
        assert (await desk.http.post(decide[0], json=decide[1], headers=bearer)).status_code == decided, grants
        assert (await desk.http.get("/api/v1/tokens", headers=bearer)).status_code == 403


async def test_a_token_makes_no_token_that_would_outlive_it(desk: Desk) -> None:
    wired(desk, Auth([ROOT]))
    bearer = await a_token(desk.client(desk.app, auth=("root", SECRET)), access="admin", days=1)
    asked = {"name": "another", "access": "viewer", "days": 366}
    assert (await desk.http.post("/api/v1/tokens", json=asked, headers=bearer)).status_code == 403
    assert len(await desk.store.access.tokens()) == 1


async def test_a_token_of_before_it_was_known_what_it_rests_on_is_over(desk: Desk) -> None:
    wired(desk, Auth([ROOT]))
    bearer = await a_token(desk.client(desk.app, auth=("root", SECRET)))
    desk.tamper("UPDATE access_tokens SET proof = NULL")
    assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 401


async def test_a_token_made_while_nobody_had_to_log_in_is_worth_nothing_afterwards(desk: Desk) -> None:
    wired(desk)
    bearer = await a_token(desk.http, access="admin")
    for account in (ROOT, Account("local", "admin", SECRET, Grants(Access.ADMIN))):
        wired(desk, Auth([account]))
        assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 401


async def test_a_token_of_a_providers_person_follows_what_the_provider_tells_at_the_sign_in(desk: Desk) -> None:
    groups = {"sre": Grants(Access.ADMIN), "guests": Grants(Access.VIEWER)}
    with a_provider(["sre"]) as issuer:
        desk.clock.set(SystemClock().now())
        provider = Provider(Oidc(issuer, "nearmiss", "a secret", HOST))

        def serve(known: Mapping[str, Grants]) -> None:
            desk.app = desk.build(sign_in=SignIn(Auth(), desk.clock, desk.store.access, provider, groups=known))
            desk.http = desk.client(desk.app)

        serve(groups)
        assert await enter(desk, desk.http, "ada") == 303
        bearer = await a_token(desk.http)
        for known, expected in (({"guests": groups["guests"]}, 401), (groups, 200)):
            serve(known)
            assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == expected
        async with httpx.AsyncClient(trust_env=False) as provider_itself:
            left = await provider_itself.put(f"{issuer}/users/ada", json={"groups": ["sales"]})
        assert left.status_code == 204
        assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 200
        assert await enter(desk, desk.client(desk.app), "ada") == 403
        assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 401


async def test_a_token_of_whom_a_proxy_signed_in_ends_with_the_access_of_the_groups(desk: Desk) -> None:
    told = {"x-forwarded-user": "ada", "x-forwarded-groups": "sales, sre"}
    groups = {"sre": Grants(Access.ADMIN)}

    def serve(known: Mapping[str, Grants], **ways: Any) -> httpx.AsyncClient:
        desk.app = desk.build(sign_in=SignIn(Auth(), desk.clock, desk.store.access, groups=known, **ways))
        desk.http = desk.client(desk.app)
        transport = httpx.ASGITransport(desk.app, client=("10.0.0.7", 1234))
        return httpx.AsyncClient(transport=transport, base_url=HOST, headers=told)

    async with serve(groups, proxy=PROXIES) as behind:
        bearer = await a_token(behind)
    provider = Provider(Oidc("http://127.0.0.1:9", "nearmiss", "a secret", HOST))
    for known, ways, expected in (
        (groups, {"proxy": PROXIES}, 200),
        ({}, {"proxy": PROXIES}, 401),
        (groups, {"provider": provider}, 401),
    ):
        serve(known, **ways)
        assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == expected, (known, ways)


async def test_a_token_of_a_person_whom_the_provider_knows_no_more_ends_by_itself(desk: Desk) -> None:
    """Nobody tells of a removal: who signs in no more is not vouched for any more."""
    with a_provider(["sre"]) as issuer:
        desk.clock.set(SystemClock().now())
        provider = Provider(Oidc(issuer, "nearmiss", "a secret", HOST))
        ways = SignIn(Auth(), desk.clock, desk.store.access, provider, groups={"sre": Grants(Access.ADMIN)})
        desk.app = desk.build(sign_in=ways)
        desk.http = desk.client(desk.app)
        assert await enter(desk, desk.http, "ada") == 303
        bearer = await a_token(desk.http)
        # The provider's clock goes on by itself: in place of a later sign-in, what one writes.
        signed_in_at = desk.clock.now()
        for days, seen in ((30, 200), (31, 401)):
            desk.clock.set(Instant(signed_in_at + days * DAY))
            assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == seen, days
        [token] = await desk.store.access.tokens()
        proof = msgspec.json.decode(token.proof or "", type=Proof)
        await ways.rest_tokens(msgspec.structs.replace(proof, at=int(desk.clock.now())))
        assert (await desk.http.get("/api/v1/near-misses", headers=bearer)).status_code == 200


async def test_a_token_of_a_person_whom_the_proxy_tells_of_no_more_ends_by_itself(desk: Desk) -> None:
    told = {"x-forwarded-user": "ada", "x-forwarded-groups": "sre"}
    groups = {"sre": Grants(Access.ADMIN), "guests": Grants(Access.VIEWER)}
    desk.app = desk.build(sign_in=SignIn(Auth(), desk.clock, desk.store.access, groups=groups, proxy=PROXIES))
    transport = httpx.ASGITransport(desk.app, client=("10.0.0.7", 1234))
    behind = httpx.AsyncClient(transport=transport, base_url=HOST, headers=told)
    program = desk.client(desk.app)
    bearer = await a_token(behind, access="admin")

    async def may(path: str) -> int:
        return (await program.get(path, headers=bearer)).status_code

    for _ in range(3):
        desk.clock.advance(20 * DAY)
        assert (await behind.get("/api/v1/near-misses")).status_code == 200
        assert await may("/api/v1/tokens") == 200, "who comes every day keeps it"
    behind.headers["x-forwarded-groups"] = "guests"
    assert (await behind.get("/api/v1/near-misses")).status_code == 200
    assert (await may("/api/v1/near-misses"), await may("/api/v1/tokens")) == (200, 403)
    behind.headers["x-forwarded-groups"] = "sales"
    assert (await behind.get("/api/v1/near-misses")).status_code == 401
    assert await may("/api/v1/near-misses") == 401
    behind.headers["x-forwarded-groups"] = "sre"
    assert (await behind.get("/api/v1/near-misses")).status_code == 200
    assert await may("/api/v1/near-misses") == 200
    desk.clock.advance(31 * DAY)
    assert await may("/api/v1/near-misses") == 401


async def test_a_token_without_any_access_is_refused(desk: Desk) -> None:
    wired(desk, Auth([ROOT]))
    refused = await desk.client(desk.app, auth=("root", SECRET)).post("/api/v1/tokens", json={"name": "x", "days": 1})
    assert refused.status_code == 422
