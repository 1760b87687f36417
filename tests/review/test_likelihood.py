"""How likely a rescue is: a word, never a number; each reason a sentence; names of features and rules behind a fold."""

from __future__ import annotations

import re

import pytest

from monitor.core.model.near_miss import Reason
from monitor.core.model.reasons import Missing
from monitor.core.weighing.features import FEATURES, reason_of
from monitor.review import wording as words
from monitor.review.likelihood import completeness, likely, sentence
from tests.review.conftest import Desk
from tests.support import records


@pytest.mark.parametrize(
    ("probability", "heading"),
    [
        (0.95, "Very likely a rescue"),
        (0.83, "Likely a rescue"),
        (0.6, "More likely a rescue than not"),
        (0.3, "Possibly a rescue"),
        (0.1, "Unlikely to be a rescue"),
        (None, "Not weighed"),
    ],
)
def test_a_probability_is_a_word(probability: float | None, heading: str) -> None:
    assert likely(records.draft(probability=probability)).heading == heading


@pytest.mark.parametrize("name", sorted(FEATURES))
@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_each_reason_is_a_sentence_without_engine_words(name: str, weight: float) -> None:
    said = sentence(reason_of(name, 1.0, weight, "5"))
    assert re.fullmatch(r"[A-Z].*[^.]\.", said), said
    assert not re.search(r"_|matched rule|base rate|candidate|catalogue does", said), said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("the alert was high", "The alert was of high severity."),
        ("the alert was warning", "The alert was a warning."),
        ("the alert was critical", "The alert was critical."),
        ("the alert was of unknown severity", "The alert was of unknown severity."),
        ("it recovered 5 min later, after 18 h", "It recovered 5 min after the action."),
        ("it recovered only 9 h later", "It recovered only 9 h after the action."),
        ("the change was undone 2 min later", "The change was undone 2 min after it was made."),
    ],
)
def test_what_was_found_is_said_as_people_say_it(said: str, expected: str) -> None:
    assert sentence(Reason("severity", 1.0, said)) == expected


def test_reasons_that_are_shown_together_do_not_contradict_each_other() -> None:
    """How seldom such an act falls near a sign, and how usual it is on this service, are two things."""
    both = (Reason("rare_act", 1.2, ""), Reason("familiar", -0.8, ""), Reason("net_rate", -0.5, ""))
    weighed = likely(records.draft(reasons=both))
    assert not any("rare here" in said for said in weighed.in_favour)
    assert len({*weighed.in_favour, *weighed.against}) == 3


def test_reasons_stand_on_their_side_and_in_short_speak_those_that_tell_stories_apart() -> None:
    weighed = likely(records.draft())
    assert weighed.in_favour[1] == "The same person had acknowledged or commented before."
    assert weighed.against == (
        "This alert often clears by itself.",
        "The first two weeks: what is usual here is not known yet.",
    )
    assert weighed.in_short == (
        "The same person had acknowledged or commented before. But this alert often clears by itself."
    )
    usual = (Reason("rare_act", 1.2, ""), Reason("net_rate", -0.8, ""))
    assert likely(records.draft(reasons=usual)).in_short == "Such an action would rarely fall this close by chance."
    assert likely(records.draft(reasons=usual[1:])).in_short == "Actions often fall near an alert here."
    assert likely(records.draft(reasons=(Reason("x_y", 1.0, "odd"),))).in_short == "Odd."


def test_confidence_says_how_complete_the_evidence_is() -> None:
    assert completeness(records.draft()) == "complete"
    assert completeness(records.draft(missing_evidence=("no_feed",))) == "incomplete: no feed watches users"
    many = ("no_feed", "sibling_only: payments", "evicted", "time_marked")
    said = "incomplete: no feed watches users, the action was on a sibling, and 2 more"
    assert completeness(records.draft(missing_evidence=many)) == said
    assert all(words.missing_in_short(name) in words.MISSING_IN_SHORT.values() for name in Missing)


async def test_the_row_and_the_page_say_it_and_fold_the_engine_away(desk: Desk) -> None:
    await desk.put(records.draft(verdict="unknown"))
    row = (await desk.http.get("/")).text
    html = (await desk.http.get("/near-misses/nm-1")).text
    seen = re.sub(r"<details class=\"fold fold--small\">.*?</details>", "", html, flags=re.DOTALL)
    for text in (row, seen):
        assert "Likely a rescue" in text
        assert "his alert often clears by itself." in text
        for engine in ("% sure", "+1.5", "same_person", "full-averted<", "matched rule", "derived.share"):
            assert engine not in text, engine
    for folded in ("<code>same_person</code> +1.50", "<code>disk-full-averted</code>", "derived.share"):
        assert folded in html
    assert '<a href="#unchecked">incomplete: no feed watches users, a feed was silent</a>' in html
