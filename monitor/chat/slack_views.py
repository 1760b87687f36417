"""The forms that Slack opens: accept, dismiss with a reason, report; and what was filled in, as values. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.chat.texts import one_line
from monitor.core.model.events import Instant
from monitor.core.model.near_miss import Move, ReportKind
from monitor.ports import Answers, Record
from monitor.review import wording as words
from monitor.review.reports import Hurt
from monitor.review.service import LONGEST_TEXT, Decision, FieldProblem

View = dict[str, Any]
DECIDE, WEIRD = "nearmiss_decide", "nearmiss_weird"
_LONGEST_INPUT = 3000
"""As many characters as Slack lets one type into a field."""


class About(msgspec.Struct, frozen=True):
    """What a form of ours is about; comes back with what was filled in."""

    record: str
    version: int
    move: Move


class WeirdAbout(msgspec.Struct, frozen=True):
    token: str
    seen_at: int


def accept_view(record: Record) -> View:
    blocks = [
        _input("why_near_miss", "Why was this a near miss?", _text(record.answers.why_near_miss, lines=True)),
        _input("what_saved_it", "What saved it?", _text(record.answers.what_saved_it, lines=True), optional=True),
        _input("what_next_time", "What next time?", _text(record.answers.what_next_time, lines=True), optional=True),
        _input(
            "users_hit",
            "Were users hit?",
            _choice([("no", "No"), ("yes", "Yes: it is an incident")]),
            optional=record.draft.verdict != "unknown",
        ),
    ]
    return _view("A near miss", "Accept", record, Move.ACCEPT, blocks)


def dismiss_view(record: Record) -> View:
    reasons = [(str(reason), f"{said[0]} – {said[1]}") for reason, said in words.DISMISSALS.items()]
    blocks = [
        _input("reason", "Why is it not a near miss?", _choice(reasons)),
        _input("note", "Anything to add?", _text("", lines=True), optional=True),
    ]
    return _view("Not a near miss", "Dismiss", record, Move.DISMISS, blocks)


def _view(title: str, submit: str, record: Record, move: Move, blocks: list[dict[str, Any]]) -> View:
    about = About(record.draft.id, record.version, move)
    named = {"type": "section", "text": {"type": "plain_text", "text": one_line(record.draft.title, 300) or "Draft"}}
    return {
        "type": "modal",
        "callback_id": DECIDE,
        "private_metadata": msgspec.json.encode(about).decode(),
        "title": _label(title, 24),
        "submit": _label(submit, 24),
        "close": _label("Cancel", 24),
        "blocks": [named, *blocks],
    }


def weird_view(token: str, seen_at: Instant, story: str = "") -> View:
    """The report of something odd, with the words of a message where it was told on one."""
    kinds = [
        (str(ReportKind.NOTICED_NOT_ACTED), "That’s weird: noticed and left as it was"),
        (str(ReportKind.NEAR_MISS), "It nearly went wrong"),
    ]
    hurt = [(str(Hurt.NO), "No"), (str(Hurt.UNKNOWN), "I do not know"), (str(Hurt.YES), "Yes")]
    return {
        "type": "modal",
        "callback_id": WEIRD,
        "private_metadata": msgspec.json.encode(WeirdAbout(token, int(seen_at))).decode(),
        "title": _label("That’s weird", 24),
        "submit": _label("Send", 24),
        "close": _label("Cancel", 24),
        "blocks": [
            _input("kind", "What was it?", _choice(kinds, chosen=0)),
            _input("service", "Which service?", _text("")),
            _input("story", "What did you see?", _text(story, lines=True)),
            _input("hurt", "Were users hit?", _choice(hurt, chosen=1)),
        ],
    }


def notice_view(title: str, text: str) -> View:
    """What became of a form, where it could not be carried out as it was sent."""
    said = {"type": "section", "text": {"type": "plain_text", "text": one_line(text, 2900), "emoji": False}}
    return {"type": "modal", "title": _label(title, 24), "close": _label("Close", 24), "blocks": [said]}


def decision_of(about: About, state: dict[str, Any]) -> Decision:
    """What was filled in, as the use case takes it; whether it suffices is decided there."""
    if about.move is Move.DISMISS:
        return Decision(
            Move.DISMISS, reason=value(state, "reason"), note=value(state, "note"), expected_version=about.version
        )
    hit = {"yes": True, "no": False}.get(value(state, "users_hit") or "")
    texts = {name: value(state, name) or "" for name in ("why_near_miss", "what_saved_it", "what_next_time")}
    return Decision(about.move, answers=Answers(**texts, users_hit=hit), expected_version=about.version)


def errors_for(problems: tuple[FieldProblem, ...], fields: tuple[str, ...]) -> dict[str, str]:
    """By field of the form. A problem of no field of it stands at the first."""
    found: dict[str, str] = {}
    for problem in problems:
        field = problem.field.removeprefix("answers.")
        found[field if field in fields else fields[0]] = one_line(problem.sentence, 300)
    return found


def value(state: dict[str, Any], field: str) -> str | None:
    """The text or the choice of a field; None where it was left empty."""
    given = state.get(field)
    element = given.get("value") if isinstance(given, dict) else None
    if not isinstance(element, dict):
        return None
    chosen = element.get("selected_option")
    found = chosen.get("value") if isinstance(chosen, dict) else element.get("value")
    return found[:LONGEST_TEXT] if isinstance(found, str) and found.strip() else None


def _label(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": one_line(text, most), "emoji": False}


def _input(field: str, label: str, element: dict[str, Any], *, optional: bool = False) -> dict[str, Any]:
    return {"type": "input", "block_id": field, "label": _label(label, 75), "element": element, "optional": optional}


def _text(initial: str, *, lines: bool = False) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": "value", "multiline": lines}
    element["max_length"] = _LONGEST_INPUT
    if initial.strip():
        element["initial_value"] = initial[:_LONGEST_INPUT]
    return element


def _choice(options: list[tuple[str, str]], chosen: int | None = None) -> dict[str, Any]:
    listed = [{"text": _label(text, 75), "value": name} for name, text in options]
    element: dict[str, Any] = {"type": "static_select", "action_id": "value", "options": listed}
    if chosen is not None:
        element["initial_option"] = listed[chosen]
    return element
