"""Signing in: by a real provider on loopback, a proxy, a password, a token; sessions that end; the chained log."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from click.testing import CliRunner, Result

from monitor.cli.audit import group as audit
from monitor.cli.password import command as password
from monitor.core.model.events import HOUR, SECOND
from monitor.ops.clock import SystemClock
from monitor.review.auth import Account, Auth, hash_of
from monitor.review.permissions import Access, Grants
from monitor.review.sign_in.oidc import Oidc, Pending, Provider
from monitor.review.sign_in.people import COOKIE, PENDING_COOKIE, ProxyLogin, SignIn
from monitor.review.sign_in.routes import local_path
from tests.review.conftest import HOST, Desk
from tests.support import records

SECRET = "correct horse battery"
GROUPS = {"sre": Grants(Access.REVIEWER), "payments": Grants(teams={"payments": Access.LEAD})}
PROXIES = ProxyLogin((ipaddress.ip_network("10.0.0.0/24"),), "x-forwarded-user", "x-forwarded-groups")


@contextmanager
def a_provider(groups: list[str], others: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[str]:
    """An OpenID Connect provider that listens on loopback and knows one person; and others, by their claims."""
    with warnings.catch_warnings():
        # The provider uses parts of its libraries that are going to change; that is not ours to mend.
        warnings.simplefilter("ignore")
        import oidc_provider_mock

        known = [oidc_provider_mock.User(sub="ada", claims={"groups": groups, "preferred_username": "ada"})]
        known += [oidc_provider_mock.User(sub=sub, claims=dict(claims)) for sub, claims in (others or {}).items()]
        with oidc_provider_mock.run_server_in_thread(user_claims=known) as server:
            yield f"http://localhost:{server.server_port}"


async def command(*arguments: str) -> Result:
    """`nearmiss audit`, which has a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, audit, arguments)


def wired(desk: Desk, auth: Auth | None = None, **ways: Any) -> SignIn:
    sign_in = SignIn(auth or Auth(), desk.clock, desk.store.access, groups=GROUPS, **ways)
    desk.app = desk.build(sign_in=sign_in)
    desk.http = desk.client(desk.app)
    return sign_in


def with_provider(desk: Desk, issuer: str, client_id: str = "nearmiss") -> None:
    # The provider's tokens are of the present.
    desk.clock.set(SystemClock().now())
    wired(desk, provider=Provider(Oidc(issuer, client_id, "a secret", HOST)))


async def consent(address: str, sub: str = "ada") -> str:
    """What a person does at the provider; where it sends the browser then."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(address, data={"sub": sub})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def test_a_person_signs_in_at_the_provider_and_comes_back_to_the_page(desk: Desk) -> None:
    await desk.put(records.draft())
    with a_provider(["sre"]) as issuer:
        with_provider(desk, issuer)
        led = await desk.http.get("/near-misses/nm-1?done=x", headers={"accept": "text/html"})
        assert led.status_code == 303
        assert led.headers["location"] == "/login?next=%2Fnear-misses%2Fnm-1%3Fdone%3Dx"
        assert (await desk.http.get("/api/v1/near-misses")).status_code == 401
        begun = await desk.http.get("/login/oidc", params={"next": "/near-misses/nm-1"})
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        assert asked["code_challenge_method"] == ["S256"]
        back = urlsplit(await consent(begun.headers["location"]))
        done = await desk.http.get(f"{back.path}?{back.query}")
        assert (done.status_code, done.headers["location"]) == (303, "/near-misses/nm-1")
        assert "HttpOnly" in done.headers["set-cookie"]
        page = await desk.http.get("/near-misses/nm-1")
        assert page.status_code == 200
        assert (await desk.http.get("/api/v1/tokens")).status_code == 403

        # The answer of the provider is good once.
        again = await desk.http.get(f"{back.path}?{back.query}")
        assert again.status_code in (400, 403)


async def test_without_a_group_that_has_access_nobody_gets_in(desk: Desk) -> None:
    with a_provider(["sales"]) as issuer:
        with_provider(desk, issuer)
        begun = await desk.http.get("/login/oidc")
        back = urlsplit(await consent(begun.headers["location"]))
        refused = await desk.http.get(f"{back.path}?{back.query}")
    assert refused.status_code == 403
    assert "None of your groups has access" in refused.text
    assert COOKIE not in desk.http.cookies


async def test_a_forged_answer_of_the_provider_is_refused(desk: Desk) -> None:
    with a_provider(["sre"]) as issuer:
        with_provider(desk, issuer)
        assert (await desk.http.get("/login/callback", params={"code": "x", "state": "y"})).status_code == 400
        begun = await desk.http.get("/login/oidc")
        back = urlsplit(await consent(begun.headers["location"]))
        code = parse_qs(back.query)["code"][0]
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        for query in ({"code": code, "state": "other"}, {"code": "wrong", "state": state}, {"error": "access_denied"}):
            refused = await desk.http.get("/login/callback", params=query)
            assert refused.status_code == 403, query

        # A token for another client is not for us.
        other = Provider(Oidc(issuer, "another", "a secret", HOST))
        address, pending = await other.begin("/", desk.clock.now())
        stolen = urlsplit(await consent(address))
        desk.http.cookies.set("nearmiss_login", pending.to_text())
        assert (await desk.http.get(f"{stolen.path}?{stolen.query}")).status_code == 403


async def test_a_flood_of_forged_answers_is_one_line_of_the_log(desk: Desk) -> None:
    """The log keeps every line for good, and whoever reaches the port can make up an answer of the provider."""
    wired(desk, provider=Provider(Oidc("http://127.0.0.1:9", "nearmiss", "a secret", HOST)))
    begun = Pending("state", "nonce", "verifier", "/").to_text()
    for number in range(20):
        query = {"error": f"no {number}\x00"} if number % 2 else {"code": "c", "state": "other"}
        desk.http.cookies.set(PENDING_COOKIE, begun)
        assert (await desk.http.get("/login/callback", params=query)).status_code == 403
    assert len([line async for line in desk.store.access.chain()]) == 1
    desk.clock.advance(10 * SECOND)
    await desk.http.get("/login/callback", params={"error": "access_denied"})
    *_, last = [line async for line in desk.store.access.chain()]
    assert last.detail == "the provider refused: access_denied (and 19 others before)"


async def test_who_signed_in_before_is_not_kept_out_by_others_who_guess(desk: Desk) -> None:
    wired(desk, Auth([Account("ada", "on call", SECRET)]))
    right = {"name": "ada", "secret": SECRET}
    assert (await desk.http.post("/login", data=right)).status_code == 303
    tried = [await desk.http.post("/login", data={**right, "secret": f"wrong horse {n}"}) for n in range(12)]
    assert [each.status_code for each in tried[-2:]] == [429, 429]
    assert (await desk.http.post("/login", data=right)).status_code == 303


async def test_guessing_from_all_addresses_of_a_network_is_slowed(desk: Desk) -> None:
    wired(desk, Auth([Account(f"one-{n}", "on call", SECRET) for n in range(12)]))
    statuses = []
    for n in range(12):
        client = httpx.ASGITransport(app=desk.app, client=(f"2001:db8::{n:x}", 1))
        async with httpx.AsyncClient(transport=client, base_url=HOST) as http:
            wrong = {"name": f"one-{n}", "secret": "wrong horse battery"}
            statuses.append((await http.post("/login", data=wrong)).status_code)
    assert statuses == [401] * 10 + [429] * 2


async def test_while_the_provider_is_away_the_page_says_so(desk: Desk) -> None:
    wired(desk, provider=Provider(Oidc("http://127.0.0.1:9", "nearmiss", "a secret", HOST)))
    away = await desk.http.get("/login/oidc")
    assert away.status_code == 502
    assert "does not answer" in away.text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/near-misses/nm-1", "/near-misses/nm-1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/login?next=/login", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_only_this_service_is_gone_to(path: str, expected: str) -> None:
    assert local_path(path) == expected


async def test_a_proxy_is_believed_from_its_addresses_only(desk: Desk) -> None:
    wired(desk, proxy=PROXIES)
    told = {"x-forwarded-user": "ada", "x-forwarded-groups": "sales, sre"}
    for address, headers, status in (
        ("10.0.0.7", told, 200),
        ("10.0.0.7", {**told, "x-forwarded-groups": "sales"}, 401),
        ("10.0.0.7", {"x-forwarded-groups": "sre"}, 401),
        ("10.0.1.7", told, 401),
        ("127.0.0.1", told, 401),
    ):
        transport = httpx.ASGITransport(desk.app, client=(address, 1234))
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            assert (await client.get("/api/v1/near-misses", headers=headers)).status_code == status, (address, headers)


async def test_a_password_opens_a_session_that_can_be_ended(desk: Desk) -> None:
    wired(
        desk,
        Auth(
            [
                Account("ada", "database on call", hash_of(SECRET)),
                Account("root", "admin", SECRET, Grants(Access.ADMIN)),
            ]
        ),
    )
    wrong = await desk.http.post("/login", data={"name": "ada", "secret": "wrong horse battery"})
    assert wrong.status_code == 401
    done = await desk.http.post("/login", data={"name": "ada", "secret": SECRET, "next": "//evil.example"})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 200
    assert "Signed in as database on call" in (await desk.http.get("/")).text

    admin = desk.client(desk.app, auth=("root", SECRET))
    [session] = (await admin.get("/api/v1/sessions")).json()["items"]
    assert session["name"] == "ada"
    assert (await admin.delete(f"/api/v1/sessions/{session['id']}")).status_code == 204
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 401
    assert (await admin.delete(f"/api/v1/sessions/{session['id']}")).status_code == 404


async def test_a_browser_is_led_to_the_form_and_a_program_is_asked_for_credentials(desk: Desk) -> None:
    looks = {"accept": "text/html,*/*"}
    wired(desk, Auth([Account("ada", "on call", SECRET)]))
    page = await desk.http.get("/near-misses/nm-1?around=true", headers=looks)
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2Fnear-misses%2Fnm-1%3Faround%3Dtrue")
    assert "www-authenticate" not in page.headers
    for path, headers in (("/api/v1/near-misses", looks), ("/", {})):
        asked = await desk.http.get(path, headers=headers)
        assert asked.status_code == 401, path
        assert asked.headers["www-authenticate"].startswith("Basic"), path
    # Where no session is kept there is no form either.
    bare = desk.client(desk.build(Auth([Account("ada", "on call", SECRET)])))
    assert (await bare.get("/", headers=looks)).status_code == 401


async def test_one_ends_ones_own_sessions_and_no_other(desk: Desk) -> None:
    wired(desk, Auth([Account("ada", "on call", SECRET), Account("bob", "on call", SECRET + "!")]))
    other = desk.client(desk.app)
    await other.post("/login", data={"name": "bob", "secret": SECRET + "!"})
    await desk.http.post("/login", data={"name": "ada", "secret": SECRET})
    page = (await desk.http.get("/account")).text
    assert page.count("/end") == 1
    [bobs] = [each for each in await desk.store.access.sessions(desk.clock.now()) if each.name == "bob"]
    assert (await desk.http.post(f"/account/sessions/{bobs.id}/end")).status_code == 404
    [adas] = [each for each in await desk.store.access.sessions(desk.clock.now()) if each.name == "ada"]
    assert (await desk.http.post(f"/account/sessions/{adas.id}/end")).status_code == 303
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 401
    assert (await other.get("/api/v1/near-misses")).status_code == 200


async def enter(desk: Desk, http: httpx.AsyncClient, sub: str) -> int:
    """Sign in at the provider as this subject; the status of the page that one comes back to."""
    begun = await http.get("/login/oidc")
    back = urlsplit(await consent(begun.headers["location"], sub))
    return (await http.get(f"{back.path}?{back.query}")).status_code


@pytest.mark.parametrize(
    "accounts",
    [[], [Account("ada", "on call", SECRET + " changed")], [Account("bob", "on call", SECRET)]],
    ids=["removed", "another secret", "renamed"],
)
async def test_a_session_ends_with_its_account(desk: Desk, accounts: list[Account]) -> None:
    root = Account("root", "admin", SECRET + "!", Grants(Access.ADMIN))
    wired(desk, Auth([Account("ada", "on call", SECRET), root]))
    await desk.http.post("/login", data={"name": "ada", "secret": SECRET})
    cookies = desk.http.cookies
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 200
    wired(desk, Auth([*accounts, root]))
    desk.http.cookies = cookies
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 401
    admin = desk.client(desk.app, auth=("root", SECRET + "!"))
    assert (await admin.get("/api/v1/sessions")).json()["items"] == []


async def test_a_session_may_do_what_its_account_may_now(desk: Desk) -> None:
    await desk.put(records.draft())
    wired(desk, Auth([Account("ada", "on call", SECRET)]))
    await desk.http.post("/login", data={"name": "ada", "secret": SECRET})
    cookies = desk.http.cookies
    wired(desk, Auth([Account("ada", "guest", SECRET, Grants(Access.VIEWER))]))
    desk.http.cookies = cookies
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 200
    refused = await desk.http.post("/api/v1/near-misses/nm-1/decision", json={"decision": "start_review"})
    assert refused.status_code == 403
    assert "Signed in as guest" in (await desk.http.get("/")).text


async def test_a_session_of_before_it_was_known_what_it_rests_on_is_over(desk: Desk) -> None:
    wired(desk, Auth([Account("ada", "on call", SECRET)]))
    await desk.http.post("/login", data={"name": "ada", "secret": SECRET})
    desk.tamper("UPDATE access_sessions SET proof = NULL")
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 401


async def test_a_session_of_the_provider_ends_with_the_access_of_its_groups(desk: Desk) -> None:
    with a_provider(["sre"]) as issuer:
        with_provider(desk, issuer)
        assert await enter(desk, desk.http, "ada") == 303
        cookies = desk.http.cookies
        provider = Provider(Oidc(issuer, "nearmiss", "a secret", HOST))
        other = Provider(Oidc("http://127.0.0.1:9", "nearmiss", "a secret", HOST))
        for groups, asked, expected in ((GROUPS, provider, 200), ({}, provider, 401), (GROUPS, other, 401)):
            desk.app = desk.build(sign_in=SignIn(Auth(), desk.clock, desk.store.access, asked, groups=groups))
            desk.http = desk.client(desk.app)
            desk.http.cookies = cookies
            assert (await desk.http.get("/api/v1/near-misses")).status_code == expected


async def test_a_name_that_its_owner_chose_makes_nobody_somebody_else(desk: Desk) -> None:
    """At many providers people write their preferred name themselves."""
    posing = {"mallory": {"groups": ["sre"], "preferred_username": "ada"}}
    with a_provider(["sre"], posing) as issuer:
        with_provider(desk, issuer)
        other = desk.client(desk.app)
        assert [await enter(desk, desk.http, "ada"), await enter(desk, other, "mallory")] == [303, 303]
        sessions = await desk.store.access.sessions(desk.clock.now())
        assert [each.name for each in sessions] == ["ada", "ada"]
        assert (await other.get("/account")).text.count("/end") == 1
        assert (await other.post(f"/account/sessions/{sessions[0].id}/end")).status_code == 404
        lines = [line async for line in desk.store.access.chain()]
        assert [line.by for line in lines] == [f"{issuer}#ada", f"{issuer}#mallory"]
        assert json.loads(lines[1].detail)["name"] == "ada"


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"groups": {"sre": False}}, 403),
        ({"groups": 5}, 403),
        ({"groups": [["sre"], None, 7, "sre"]}, 303),
        ({"groups": "sre"}, 303),
        ({"groups": ["sre"] * 5_000}, 303),
        ({"groups": ["sre"], "preferred_username": ["ada"], "email": 7}, 303),
        ({"groups": ["sre"], "preferred_username": "\u202e" + "a" * 20_000}, 303),
        ({"groups": ["sre"], "preferred_username": "  "}, 303),
    ],
    ids=str,
)
async def test_whatever_a_provider_claims_is_read_or_refused(desk: Desk, claims: dict[str, Any], status: int) -> None:
    with a_provider(["sre"], {"odd": claims}) as issuer:
        with_provider(desk, issuer)
        assert await enter(desk, desk.http, "odd") == status
    assert all(len(each.name) <= 255 for each in await desk.store.access.sessions(desk.clock.now()))


async def test_a_session_expires(desk: Desk) -> None:
    wired(desk, Auth([Account("ada", "on call", SECRET)]))
    await desk.http.post("/login", data={"name": "ada", "secret": SECRET})
    desk.clock.advance(12 * HOUR + 1)
    assert (await desk.http.get("/api/v1/near-misses")).status_code == 401


async def test_sign_ins_and_moves_are_a_chain_that_cannot_be_changed_unseen(desk: Desk) -> None:
    await desk.put(records.draft())
    wired(desk, Auth([Account("ada", "database on call", SECRET)]))
    await desk.http.post("/login", data={"name": "ada", "secret": "wrong horse battery"})
    await desk.http.post("/login", data={"name": "ada", "secret": SECRET})
    await desk.decide("nm-1", decision="dismiss", reason="planned_work")
    lines = [line async for line in desk.store.access.chain()]
    assert [(line.action, line.by) for line in lines] == [
        ("sign_in_refused", "ada"),
        ("signed_in", "ada"),
        ("dismiss", "database on call"),
    ]
    url = ["--database", f"sqlite:///{desk.file}"]
    whole = await command("verify", *url)
    assert whole.exit_code == 0, whole.output
    assert f"3 lines, whole; last hash {lines[-1].hash}" in whole.output
    exported = (await command("export", *url)).output.splitlines()
    assert [json.loads(line)["hash"] for line in exported] == [line.hash for line in lines]
    assert (await command("verify", "--expect", lines[0].hash, *url)).exit_code == 0
    assert "written again" in (await command("verify", "--expect", "ab" * 32, *url)).output


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE access_chain SET by = 'someone' WHERE id = 2", "line 2 was changed"),
        ("DELETE FROM access_chain WHERE id = 2", "line 3 does not follow"),
        ("DELETE FROM access_chain WHERE id = 3", "lines at the end were removed"),
    ],
)
async def test_a_change_of_the_log_is_found(desk: Desk, statement: str, said: str) -> None:
    for name in ("one", "two", "three"):
        await desk.store.access.log(name, "signed_in", "account", "", desk.clock.now())
    desk.tamper(statement)
    found = await command("verify", "--database", f"sqlite:///{desk.file}")
    assert found.exit_code == 1
    assert said in found.output


def test_the_hash_of_a_password_is_one_that_an_account_takes() -> None:
    made = CliRunner().invoke(password, ["--password", SECRET]).output.strip()
    auth = Auth([Account("ada", "on call", made)])
    assert auth.by_password("ada", SECRET) is not None
    assert auth.by_password("ada", SECRET) is not None
    assert auth.by_password("ada", "wrong") is None
    assert auth.by_password("bob", SECRET) is None
    assert CliRunner().invoke(password, ["--password", "short"]).exit_code == 1
