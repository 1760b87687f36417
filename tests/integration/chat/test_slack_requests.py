"""Buttons, forms, the command, the shortcut and replies of Slack: checked, acknowledged, and then carried out."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from starlette.responses import Response

from monitor.chat.slack_requests import Kind, Request
from monitor.chat.slack_work import Rights
from monitor.core.model.events import HOUR, MINUTE, SECOND, Instant
from monitor.core.model.near_miss import State
from monitor.ports import Unavailable
from monitor.ports.chat import Received
from monitor.review.permissions import Access, Grants
from tests.integration.chat.conftest import CHANNEL, Office
from tests.support.records import draft
from tests.support.slack import action_body, signed

USER = "U1"


async def send(
    office: Office, kind: Kind, body: bytes, *, at: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    """As Slack sends it, and wait until it was worked on."""
    given = {**signed(body, office.clock.now() if at is None else at), **(headers or {})}
    answer = await office.door.take(kind, given, body)
    await office.finish()
    return answer


def pressed(office: Office, action: str, *, user: str = "U1", channel: str = CHANNEL, team: str = "T1",
            trigger: str = "") -> bytes:  # fmt: skip
    """A button of the one reply. The trigger makes each press another request, as Slack's do."""
    reply = office.reply()
    (value,) = {each["value"] for each in reply["blocks"][1]["elements"]}
    return action_body(
        {
            "type": "block_actions", "team": {"id": team}, "user": {"id": user}, "channel": {"id": channel},
            "trigger_id": trigger or f"t{len(office.slack.calls)}", "response_url": office.slack.response_url,
            "actions": [{"action_id": action, "value": value}],
        }
    )  # fmt: skip


def filled(office: Office, trigger: str = "1", *, user: str = "U1", **values: str) -> bytes:
    """The newest form with these values."""
    view = office.slack.views[-1]
    state: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            given = values.get(block["block_id"])
            is_choice = block["element"]["type"] == "static_select"
            chosen = {"selected_option": {"value": given} if given else None}
            state[block["block_id"]] = {"value": chosen if is_choice else {"value": given}}
    sent = {"callback_id": view["callback_id"], "private_metadata": view["private_metadata"], "id": "V1"}
    payload = {"type": "view_submission", "trigger_id": trigger, "user": {"id": user}}
    return action_body({**payload, "view": {**sent, "state": {"values": state}}})


async def drafted(office: Office, **fields: Any) -> None:
    await office.put(draft("nm-1", **fields))
    await office.round()


def said(answer: Response) -> Any:
    return json.loads(bytes(answer.body)) if answer.body else None


def whispers(office: Office) -> str:
    return json.dumps(office.slack.responses, ensure_ascii=False)


async def state_of(office: Office, record_id: str = "nm-1") -> State:
    return (await office.store.near_misses.get(record_id)).state


async def test_dismiss_opens_a_form_with_the_reasons_and_decides(office: Office) -> None:
    await drafted(office)
    answer = await send(office, "actions", pressed(office, "nearmiss_dismiss"))
    assert (answer.status_code, answer.body) == (200, b"")
    options = office.slack.views[-1]["blocks"][1]["element"]["options"]
    assert "planned_work" in [option["value"] for option in options]
    answer = await send(office, "actions", filled(office, reason="planned_work", note="a drill"))
    assert (answer.status_code, answer.body) == (200, b"")
    record = await office.store.near_misses.get("nm-1")
    assert (record.state, record.reason, record.decided_by) == (State.DISMISSED, "planned_work", "on-call")
    assert (await office.store.near_misses.audit("nm-1"))[-1].note == "a drill"
    await office.round()
    assert "planned work" in json.dumps(office.reply()["blocks"])


async def test_accept_asks_for_what_is_needed_and_shows_what_is_missing(office: Office) -> None:
    await drafted(office, verdict="unknown")
    await send(office, "actions", pressed(office, "nearmiss_accept"))
    answer = await send(office, "actions", filled(office, "1", why_near_miss=" "))
    assert said(answer)["response_action"] == "errors"
    assert set(said(answer)["errors"]) == {"why_near_miss", "users_hit"}
    assert await state_of(office) == State.DRAFT
    answer = await send(office, "actions", filled(office, "2", why_near_miss="Luck", users_hit="no"))
    assert (answer.status_code, answer.body) == (200, b"")
    assert await state_of(office) == State.ACCEPTED


async def test_a_claim_shows_in_the_message(office: Office) -> None:
    await drafted(office)
    await send(office, "actions", pressed(office, "nearmiss_claim"))
    await office.round()
    assert await state_of(office) == State.IN_REVIEW
    names = [each["action_id"] for each in office.reply()["blocks"][1]["elements"]]
    assert "nearmiss_claim" not in names


async def test_who_comes_second_is_told_and_keeps_what_was_written(office: Office) -> None:
    await drafted(office)
    await send(office, "actions", pressed(office, "nearmiss_accept"))
    late = filled(office, "2", why_near_miss="My own view")
    await send(office, "actions", filled(office, "1", why_near_miss="Somebody else"))
    answer = await send(office, "actions", late)
    assert "accepted now by on-call" in json.dumps(said(answer))
    assert "My own view" in json.dumps(said(answer))
    assert (await office.store.near_misses.get("nm-1")).answers.why_near_miss == "Somebody else"


async def test_a_button_of_a_decided_draft_says_so(office: Office) -> None:
    await drafted(office)
    old = pressed(office, "nearmiss_accept", trigger="again")
    await send(office, "actions", pressed(office, "nearmiss_accept"))
    await send(office, "actions", filled(office, why_near_miss="Luck"))
    await send(office, "actions", old)
    assert "It is accepted already" in whispers(office)


@pytest.mark.parametrize("moved", [-5 * MINUTE - SECOND, 5 * MINUTE + SECOND])
async def test_an_old_or_early_signature_is_refused(office: Office, moved: int) -> None:
    await drafted(office)
    answer = await send(office, "actions", pressed(office, "nearmiss_claim"), at=office.clock.now() + moved)
    assert answer.status_code == 401
    assert await state_of(office) == State.DRAFT
    assert office.count("nearmiss_chat_requests_total", outcome="stale") == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"x-slack-signature": "v0=" + "0" * 64},
        {"x-slack-signature": ""},
        {"x-slack-request-timestamp": "now"},
        {"x-slack-request-timestamp": "9" * 400},
        {"x-slack-signature": "v0=ü"},
    ],
)
async def test_a_forged_button_is_refused(office: Office, headers: dict[str, str]) -> None:
    await drafted(office)
    answer = await send(office, "actions", pressed(office, "nearmiss_claim"), headers=headers)
    assert answer.status_code == 401
    assert await state_of(office) == State.DRAFT
    assert office.count("nearmiss_chat_requests_total", outcome="unsigned") == 1


async def test_the_signature_is_of_the_raw_bytes(office: Office) -> None:
    await drafted(office)
    body = pressed(office, "nearmiss_claim")
    same_meaning = body.replace(b"+", b"%20") + b"&"
    answer = await office.door.take("actions", signed(body, office.clock.now()), same_meaning)
    assert answer.status_code == 401


async def test_a_replayed_button_is_refused_also_after_a_restart(office: Office) -> None:
    await drafted(office)
    body = pressed(office, "nearmiss_accept")
    await send(office, "actions", body)
    office.open_door()
    answer = await send(office, "actions", body)
    assert answer.status_code == 409
    assert len(office.slack.views) == 1
    assert office.count("nearmiss_chat_requests_total", outcome="replayed") == 1


@pytest.mark.parametrize(
    ("rights", "fields", "reason"),
    [
        (Rights("on-call", deciders=frozenset({"U9"})), {}, "not_allowed"),
        (Rights("on-call", people={"U9": Grants(Access.ADMIN)}), {}, "not_allowed"),
        (Rights("on-call", people={USER: Grants(Access.VIEWER)}), {}, "not_allowed"),
        (Rights("on-call", people={USER: Grants(None, {"search": Access.LEAD})}), {}, "not_allowed"),
        (Rights("on-call", workspace="T9"), {}, "elsewhere"),
        (Rights("on-call"), {"channel": "C0OTHERS"}, "elsewhere"),
    ],
)
async def test_who_may_not_decide_is_told_why(office: Office, rights: Rights, fields: Any, reason: str) -> None:
    await drafted(office)
    office.rights = rights
    office.open_door()
    await send(office, "actions", pressed(office, "nearmiss_claim", **fields))
    assert await state_of(office) == State.DRAFT
    assert office.count("nearmiss_chat_requests_total", outcome=reason) == 1
    assert len(office.slack.responses) == 1


async def test_a_form_of_somebody_who_may_not_decide_changes_nothing(office: Office) -> None:
    await drafted(office)
    await send(office, "actions", pressed(office, "nearmiss_dismiss"))
    office.rights = Rights("on-call", deciders=frozenset({"U9"}))
    office.open_door()
    answer = await send(office, "actions", filled(office, reason="planned_work"))
    assert "not decide" in json.dumps(said(answer))
    assert await state_of(office) == State.DRAFT


async def test_a_form_decides_by_the_table_of_access(office: Office) -> None:
    """Of another team's draft it changes nothing, although the form was opened while that was allowed."""
    await drafted(office)
    await send(office, "actions", pressed(office, "nearmiss_dismiss"))
    for team, state in (("search", State.DRAFT), ("payments-db", State.DISMISSED)):
        office.rights = Rights("on-call", people={USER: Grants(None, {team: Access.REVIEWER})})
        office.open_door()
        await send(office, "actions", filled(office, trigger=team, reason="planned_work"))
        assert await state_of(office) == state


class Held:
    """A worker that is held up, as by a slow database."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.worked: list[str] = []
        self.late: list[Any] = []
        self.is_away = False

    async def work(self, request: Request, at: Instant) -> dict[str, Any] | None:
        await self.go_on.wait()
        if self.is_away:
            raise Unavailable("the disk is full")
        self.worked.append(request.what)
        return None

    async def too_late(self, request: Request, answer: dict[str, Any] | None) -> None:
        self.late.append(answer)


async def test_a_request_is_acknowledged_before_its_work_is_done(office: Office) -> None:
    await drafted(office)
    held = Held()
    office.open_door(answer_seconds=0)._worker = held
    body = pressed(office, "nearmiss_accept")
    answer = await office.door.take("actions", signed(body, office.clock.now()), body)
    assert (answer.status_code, held.worked) == (200, [])
    form = action_body({"type": "view_submission", "trigger_id": "2"})
    answer = await office.door.take("actions", signed(form, office.clock.now()), form)
    assert said(answer)["response_action"] == "update"
    held.go_on.set()
    await office.finish()
    await office.finish()
    assert sorted(held.worked) == ["block_actions", "view_submission"]
    assert held.late == [None]


async def test_what_a_crash_or_the_database_left_undone_is_taken_up(office: Office) -> None:
    await drafted(office)
    held = Held()
    held.is_away = True
    held.go_on.set()
    office.door._worker = held
    await send(office, "actions", pressed(office, "nearmiss_claim"))
    assert await state_of(office) == State.DRAFT
    office.open_door()
    assert await office.door.take_up() == 0, "its lease still runs"
    office.clock.advance(2 * MINUTE)
    assert await office.door.take_up() == 1
    assert await state_of(office) == State.IN_REVIEW
    office.clock.advance(HOUR)
    assert await office.door.take_up() == 0


async def test_a_slow_database_delays_no_acknowledgement_and_what_was_refused_is_not_done(office: Office) -> None:
    await drafted(office)
    go_on, receive = asyncio.Event(), office.store.chat_inbox.receive

    async def slow(received: Received, until: Instant) -> bool:
        await go_on.wait()
        return await receive(received, until)

    office.store.chat_inbox.receive = slow  # type: ignore[method-assign]
    office.door._store_seconds = 0
    body = pressed(office, "nearmiss_claim")
    answer = await office.door.take("actions", signed(body, office.clock.now()), body)
    assert answer.status_code == 503
    go_on.set()
    await office.finish()
    await office.finish()
    office.clock.advance(2 * MINUTE)
    assert await office.door.take_up() == 0
    assert await state_of(office) == State.DRAFT


async def test_while_nothing_can_be_stored_a_button_is_to_be_pressed_again(office: Office) -> None:
    await drafted(office)

    async def away(received: Received, until: Instant) -> bool:
        raise Unavailable("the disk is full")

    office.store.chat_inbox.receive = away  # type: ignore[method-assign]
    assert (await send(office, "actions", pressed(office, "nearmiss_claim"))).status_code == 503


async def test_the_same_form_carried_out_twice_is_one_decision(office: Office) -> None:
    await drafted(office)
    await send(office, "actions", pressed(office, "nearmiss_dismiss"))
    body = filled(office, "1", reason="planned_work")
    await send(office, "actions", body)
    again = await send(office, "actions", body, at=office.clock.now() - SECOND)
    assert (again.status_code, again.body) == (200, b"")
    assert len([line for line in await office.store.near_misses.audit("nm-1") if line.action == "dismiss"]) == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("actions", b"payload=%7B"),
        ("actions", b"\xff\xfe"),
        ("actions", b"payload=[]"),
        ("events", b"nothing"),
        ("events", b"[" * 100_000),
        ("events", b"[]"),
    ],
)
async def test_what_cannot_be_read_is_refused(office: Office, kind: Kind, body: bytes) -> None:
    assert (await send(office, kind, body)).status_code == 400


@pytest.mark.parametrize(("comes", "status"), [([], 408), ([{"type": "http.disconnect"}], 400)])
async def test_a_body_that_does_not_come_is_no_failure_of_ours(
    office: Office, comes: list[dict[str, Any]], status: int
) -> None:
    door = office.open_door(body_seconds=0.0 if status == 408 else 10.0)
    answered: list[Any] = []

    async def receive() -> Any:
        return comes.pop() if comes else await asyncio.Event().wait()

    async def send_on(message: Any) -> None:
        answered.append(message)

    app = FastAPI()
    app.include_router(door.router())
    path = "/chat/slack/actions"
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b"", "http_version": "1.1"}
    await app(scope, receive, send_on)
    assert answered[0]["status"] == status


@pytest.mark.parametrize("payload", [{}, {"type": "view_submission"}, {"type": "block_actions", "actions": 7}])
async def test_an_odd_request_ends_nothing(office: Office, payload: dict[str, Any]) -> None:
    assert (await send(office, "actions", action_body(payload))).status_code == 200


async def test_slack_may_check_the_address(office: Office) -> None:
    body = b'{"type": "url_verification", "challenge": "abc"}'
    assert said(await send(office, "events", body)) == {"challenge": "abc"}


def reply_event(office: Office, text: str, event_id: str = "Ev1", seconds: int = 60) -> bytes:
    (day,) = office.slack.posted(thread=False)
    ts = f"{float(office.reply()['ts']) + seconds:.6f}"
    event = {"type": "message", "channel": CHANNEL, "thread_ts": day["ts"], "ts": ts, "user": "U1", "text": text}
    return json.dumps({"type": "event_callback", "event_id": event_id, "team_id": "T1", "event": event}).encode()


async def comments(office: Office) -> list[str | None]:
    return [line.note for line in await office.store.near_misses.audit("nm-1") if line.action == "comment"]


async def test_a_reply_in_the_thread_becomes_one_comment_without_names(office: Office) -> None:
    await drafted(office)
    text = "<@U777> saw it, see <https://wiki.example/x|the page> &lt;b&gt;"
    body = reply_event(office, text)
    await send(office, "events", body)
    assert await comments(office) == ["@someone saw it, see the page (https://wiki.example/x) <b>"]
    again = await send(office, "events", body, at=office.clock.now() - SECOND)
    assert again.status_code == 200
    await send(office, "events", reply_event(office, text, "Ev2"))
    assert len(await comments(office)) == 1
    assert office.count("nearmiss_chat_requests_total", outcome="repeated") == 1


async def test_messages_outside_of_our_threads_and_of_bots_are_none_of_our_business(office: Office) -> None:
    await drafted(office)
    body = json.loads(reply_event(office, "hello"))
    for place, value in (("bot_id", "B1"), ("subtype", "message_changed"), ("channel", "C0OTHERS"), ("ts", "x")):
        odd = {**body, "event_id": f"Ev-{place}", "event": {**body["event"], place: value}}
        await send(office, "events", json.dumps(odd).encode())
    await send(office, "events", reply_event(office, "before it", "Ev-early", seconds=-60))
    assert await comments(office) == []


async def command(office: Office, text: str) -> None:
    fields = {"command": "/nearmiss", "text": text, "channel_id": CHANNEL, "user_id": "U1", "team_id": "T1"}
    body = urlencode({**fields, "trigger_id": "c1", "response_url": office.slack.response_url}).encode()
    assert (await send(office, "commands", body)).body == b""


@pytest.mark.parametrize(
    ("text", "shown"), [("", "1 to judge"), ("list", "18 minutes from full"), ("shift", "Shift of"), ("x", "/nearmiss")]
)
async def test_the_command_answers_the_one_who_asked(office: Office, text: str, shown: str) -> None:
    await drafted(office)
    await command(office, text)
    assert shown in whispers(office)
    assert {each["response_type"] for each in office.slack.responses} == {"ephemeral"}


async def test_thats_weird_is_a_form_and_becomes_an_event_once(office: Office) -> None:
    await command(office, "report WAL keeps growing")
    body = filled(office, kind="noticed_not_acted", service="payments-db", story="WAL grows", hurt="unknown")
    answer = await send(office, "actions", body)
    assert "Thank you" in json.dumps(said(answer))
    await send(office, "actions", body, at=office.clock.now() - SECOND)
    (event,) = (await office.store.journal.read({}, 10)).events
    assert (event.kind, event.service, event.title) == ("note.added", "payments-db", "WAL grows")
    assert event.labels["reported_by"] == "on-call"


async def test_the_shortcut_on_a_message_takes_its_words_along(office: Office) -> None:
    payload = {
        "type": "message_action", "callback_id": "nearmiss_weird_message", "trigger_id": "s1",
        "message": {"text": "That is weird: the replica is gone"}, "user": {"id": "U1"}, "team": {"id": "T1"},
    }  # fmt: skip
    await send(office, "actions", action_body(payload))
    assert office.slack.views[-1]["blocks"][2]["element"]["initial_value"] == "That is weird: the replica is gone"
    answer = await send(office, "actions", filled(office, story="x"))
    assert set(said(answer)["errors"]) == {"kind", "service", "hurt"}


async def test_no_answer_goes_to_an_address_that_is_not_slacks(office: Office) -> None:
    api = office.api
    for url in (
        "http://169.254.169.254/",
        "https://slack.com.evil.example/",
        "https://slack.com:8443/x",
        "file:///etc",
    ):
        assert not api.may_answer_at(url)
    assert api.may_answer_at("https://hooks.slack.com/actions/T/1/x")
