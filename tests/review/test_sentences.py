"""Every text of a page is a sentence for people: each kind and move has one, and no name of the engine is seen."""

from __future__ import annotations

import re
from html import unescape

import pytest

from monitor.core.model.events import KINDS
from monitor.core.model.near_miss import Dismissal, Move, State
from monitor.core.model.reasons import Missing
from monitor.review.sentences import BY_SOMEBODY, happened, not_possible
from tests.review.conftest import Desk
from tests.support import records


def test_each_kind_has_a_sentence() -> None:
    assert set(BY_SOMEBODY) == KINDS
    for kind in KINDS:
        said = happened(records.event("e", kind, 0, actor=records.ON_CALL))
        assert re.match(r"[A-Z][a-z]* ", said)
        assert said[0].isupper()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("responder.paged", "Someone on call was paged"),
        ("alert.acknowledged", "Someone on call acknowledged the alert"),
        ("change.blocked", "A guardrail blocked a change by someone on call"),
    ],
)
def test_who_did_it_stands_where_it_belongs(kind: str, said: str) -> None:
    assert happened(records.event("e", kind, 0, actor=records.ON_CALL)) == said


def test_without_anybody_the_kind_is_enough() -> None:
    assert happened(records.event("e", "change.rolled_back", 0)) == "Rolled back"


def test_a_move_that_is_refused_is_said_in_words() -> None:
    assert not_possible(State.ACCEPTED, Move.DISMISS) == (
        "A record that is accepted cannot be dismissed; it can be reopened."
    )
    for move in Move:
        assert "_" not in not_possible(State.DRAFT, move)


def seen(html: str) -> str:
    """The text of a page outside of the folds for authors, and without the footer's hashes."""
    html = re.sub(r'<details class="fold fold--small">.*?</details>|<code>.*?</code>', " ", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", html))


async def test_no_name_of_the_engine_is_seen(desk: Desk) -> None:
    doubtful = records.draft(verdict="unknown", missing_evidence=tuple(Missing))
    await desk.put(doubtful, records.draft("nm-2", rank=1.0))
    await desk.decide("nm-2", decision="dismiss", reason="had_user_impact")
    refused = await desk.http.post(
        "/near-misses/nm-1/decision",
        data={"decision": "accept", "why_near_miss": "It was close", "users_hit": "yes"},
    )
    paths = ("/", "/?show=dismissed", "/near-misses/nm-1", "/near-misses/nm-2", "/report")
    pages = [refused.text, *[(await desk.http.get(path)).text for path in paths]]
    names = {*Dismissal, *Missing, *Move, *doubtful.rules} - {"duplicate", "accept", "dismiss", "reopen", "merge"}
    named = [name for name in names if "_" in name or "-" in name]
    assert len(named) > 20
    for html in pages:
        text = seen(html)
        assert not [name for name in named if re.search(rf"\b{name}\b", text)]
    assert "dismiss it as “Users were hit”" in seen(refused.text)
