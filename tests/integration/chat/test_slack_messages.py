"""One message a record in Slack, kept up to date, whatever happens to Slack or to us in between."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.core.model.decisions import Amend, Withdraw
from monitor.core.model.events import HOUR, MINUTE, SECOND
from monitor.core.model.near_miss import Move
from monitor.core.model.reasons import Withdrawn
from monitor.ports import Answers, Decide
from tests.integration.chat.conftest import ADDRESS, CHANNEL, Office
from tests.support.records import draft
from tests.support.slack import Answer

AWAY: Answer = (503, {}, {})


async def accepted(office: Office, record_id: str = "nm-1") -> None:
    answers = Answers("a slot nobody knew", users_hit=False)
    await office.store.near_misses.decide(
        Decide(record_id, Move.ACCEPT, "on-call", office.clock.now(), answers=answers)
    )


def text_of(message: dict[str, Any]) -> str:
    return json.dumps(message["blocks"], ensure_ascii=False)


async def test_drafts_are_replies_below_the_days_message(office: Office) -> None:
    await office.put(draft("nm-1"), draft("nm-2", title="Checkout v913 was rolled back"))
    await office.round()
    (day,) = office.slack.posted(thread=False)
    replies = office.slack.posted(thread=True)
    assert day["channel"] == CHANNEL
    assert "2 to judge, 0 done" in day["text"]
    assert {reply["thread_ts"] for reply in replies} == {day["ts"]}
    assert f"{ADDRESS}/near-misses/nm-1" in text_of(replies[0])
    assert [each["text"]["text"] for each in replies[0]["blocks"][1]["elements"]] == [
        "Near miss…", "Not one…", "I look at it", "Open",
    ]  # fmt: skip


async def test_a_decided_draft_shrinks_to_a_line_in_its_one_message(office: Office) -> None:
    await office.put(draft("nm-1"))
    await office.round()
    await accepted(office)
    await office.round()
    reply = office.reply()
    assert [block["type"] for block in reply["blocks"]] == ["rich_text"]
    assert "Accepted, by on-call" in text_of(reply)
    (day,) = office.slack.posted(thread=False)
    assert "0 to judge, 1 done" in day["text"]
    assert office.slack.count("chat.postMessage") == 2


async def test_several_changes_at_once_are_one_edit_and_no_change_is_none(office: Office) -> None:
    await office.put(draft("nm-1"))
    await office.round()
    await office.commit(Amend(draft("nm-1", title="The disk was 12 minutes from full")))
    await office.commit(Amend(draft("nm-1", title="The disk was 9 minutes from full")))
    await office.round()
    assert "9 minutes" in text_of(office.reply())
    assert office.slack.count("chat.update") == 2  # the reply, and the day's counts after it was posted
    await office.commit(Amend(draft("nm-1", title="The disk was 9 minutes from full", hold=HOUR)))
    await office.round()
    assert office.slack.count("chat.update") == 2
    assert office.count("nearmiss_chat_letters_total", outcome="unchanged") == 1


async def test_what_was_withdrawn_before_anybody_heard_of_it_is_not_told(office: Office) -> None:
    await office.put(draft("nm-1"))
    await office.commit(Withdraw("nm-1", Withdrawn.IMPACT_IN_WINDOW, office.clock.now(), ()))
    await office.round()
    assert office.slack.posted() == []
    assert await office.store.outbox.due("slack", office.clock.now(), 10) == []


@pytest.mark.parametrize(
    ("answer", "said", "rest"),
    [
        (AWAY, "Slack is away", 5 * SECOND),
        ((200, {"ok": False, "error": "internal_error"}, {}), "Slack is away", 5 * SECOND),
        ((429, {}, {"Retry-After": "30"}), "send less", 30 * SECOND),
        ((200, {"ok": False, "error": "token_revoked"}, {}), "check token", 5 * SECOND),
        ((200, {"ok": False, "error": "not_in_channel"}, {}), "invite the app", 5 * SECOND),
    ],
)
async def test_while_slack_fails_nothing_is_lost_and_nothing_sent_twice(
    office: Office, answer: Any, said: str, rest: int
) -> None:
    office.slack.fail["chat.postMessage"] = answer
    await office.put(draft("nm-1"))
    await office.round()
    (lane,) = await office.store.outbox.lanes()
    assert said in str(lane.reason)
    assert (lane.waiting, lane.failures) == (1, 1)
    assert lane.retry_at == office.clock.now() + rest

    await office.round()
    assert office.slack.count("chat.postMessage") == 1, "it was left alone"
    office.slack.fail.clear()
    office.clock.advance(rest)
    await office.round()
    await office.round()
    assert len(office.slack.posted(thread=True)) == 1
    assert len(office.slack.posted(thread=False)) == 1
    assert (await office.store.outbox.lanes())[0].failures == 0


async def test_a_destination_that_stays_away_is_asked_less_and_less(office: Office) -> None:
    office.slack.fail["chat.postMessage"] = AWAY
    await office.put(draft("nm-1"))
    await office.postman.hand_out()
    rests = []
    for _ in range(10):
        await office.postman.deliver("slack")
        (lane,) = await office.store.outbox.lanes()
        assert lane.retry_at is not None
        rests.append((lane.retry_at - office.clock.now()) // SECOND)
        office.clock.set(lane.retry_at)
    assert rests == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


async def test_a_message_whose_answer_got_lost_is_found_and_edited_not_repeated(office: Office) -> None:
    await office.put(draft("nm-1"))
    await office.round()
    await office.put(draft("nm-2"))
    office.slack.lose = True
    await office.round()
    assert len(office.slack.posted(thread=True)) == 2, "it arrived"
    assert (await office.store.outbox.lanes())[0].waiting == 1, "and we do not know it"
    await accepted(office, "nm-2")
    office.clock.advance(MINUTE)
    office.build()
    await office.round()
    assert len(office.slack.posted(thread=True)) == 2
    assert "Accepted" in text_of(office.slack.posted(thread=True)[1])
    assert (await office.store.outbox.lanes())[0].waiting == 0


async def test_the_days_message_whose_answer_got_lost_is_not_repeated(office: Office) -> None:
    office.slack.lose = True
    await office.put(draft("nm-1"))
    await office.round()
    office.clock.advance(MINUTE)
    office.build()
    await office.round()
    assert len(office.slack.posted(thread=False)) == 1
    assert len(office.slack.posted(thread=True)) == 1


async def test_after_a_crash_between_post_and_note_the_message_is_edited(office: Office) -> None:
    await office.put(draft("nm-1"))
    await office.postman.hand_out()
    letters = await office.store.outbox.due("slack", office.clock.now(), 10)
    await office.postman._senders["slack"].send(letters)  # the process ends before it settles them
    office.clock.advance(MINUTE)
    office.build()
    await office.round()
    assert len(office.slack.posted(thread=True)) == 1
    assert await office.store.outbox.due("slack", office.clock.now(), 10) == []


async def test_what_slack_will_never_take_is_kept_aside_and_holds_nothing_up(office: Office) -> None:
    await office.put(draft("nm-1"))
    await office.round()
    office.slack.fail["chat.update"] = (200, {"ok": False, "error": "message_not_found"}, {})
    await accepted(office)
    await office.round()
    (lane,) = await office.store.outbox.lanes()
    assert (lane.waiting, lane.refused, lane.failures) == (0, 1, 0)


async def test_drafts_beyond_the_budget_and_of_the_digest_are_not_told_one_by_one(office: Office) -> None:
    await office.put(draft("nm-1", mode="digest"))
    await office.round()
    assert office.slack.posted() == []


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<!channel> <@U123> <https://evil.example|click>",
        "javascript:alert(1)",
        "\u202egpj.exe \u2066hidden\u2069",
        "💥👩‍💻" * 50,
        "x" * 10_000,
        "`*_~> & \x00 \x1b[31m",
        "\n\n\n",
    ],
)
async def test_whatever_a_title_holds_stays_text(office: Office, hostile: str) -> None:
    await office.put(draft("nm-1", title=hostile, service=hostile[:200]))
    await office.round()
    message = office.reply()
    elements = [piece for part in message["blocks"][0]["elements"] for piece in part["elements"]]
    assert {piece["type"] for piece in elements} <= {"text", "link"}
    assert {piece["url"] for piece in elements if "url" in piece} == {f"{ADDRESS}/near-misses/nm-1"}
    assert not {"\u202e", "\u2066", "\x00", "\x1b"} & set(text_of(message) + message["text"])
    assert "<!" not in message["text"]
    assert "<@" not in message["text"]
    assert len(message["text"]) <= 400
