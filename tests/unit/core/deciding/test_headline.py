"""A headline reads well whatever the events tell, and whatever they leave out."""

from __future__ import annotations

import pytest

from monitor.core.deciding.headline import (
    LONGEST_WHAT,
    for_people,
    kind_noun,
    kind_words,
    render_title,
    say_number,
    who,
)
from monitor.core.model.events import MINUTE, Actor, Event
from monitor.core.model.near_miss import Margin

HOUR_OF_ALERT = 1_800_000_000_000_000


def event(**fields: object) -> Event:
    given: dict[str, object] = {"id": "a", "source": "alerts", "time": HOUR_OF_ALERT, "kind": "alert.fired"}
    return Event(**given | fields)  # type: ignore[arg-type]


ALERT = event(service="checkout", subject="error-rate", title="error rate above 5 %")
ROLLBACK = event(id="b", kind="change.rolled_back", service="checkout", time=HOUR_OF_ALERT + 4 * MINUTE)


def title(template: str, hazard: Event = ALERT, action: Event = ROLLBACK, margin: Margin | None = None) -> str:
    return render_title(template, hazard.service, hazard, action, margin)


def test_it_names_what_nearly_broke_how_close_and_what_caught_it() -> None:
    margin = Margin("headroom", 93, "percent", "93% used", 100)
    said = title("{what} – {margin} – caught by {intervention.kind_noun} after {elapsed}", margin=margin)
    assert said == "checkout: error rate above 5 % – 93% used – caught by a rollback after 4 min"


def test_a_part_without_its_value_is_left_out() -> None:
    assert title("{what} – {margin} – rolled back") == "checkout: error rate above 5 % – rolled back"
    assert title("{what} – hit {hazard.labels.target} – undone") == "checkout: error rate above 5 % – undone"


def test_the_first_part_is_never_left_out() -> None:
    assert title("flag {hazard.subject} – back", event(service="cart")) == "Flag something – back"
    assert title("{service}: a deploy – back", event()) == "An unnamed service: a deploy – back"
    assert title("closed {margin}") == "Closed an unknown margin"


@pytest.mark.parametrize(
    ("hazard", "expected"),
    [
        (event(service="cart", subject="lag"), "cart: an alert on lag"),
        (event(service="cart"), "cart: an alert"),
        (event(title="Disk full."), "Disk full"),
        (event(service="Cart", title="cart is slow"), "Cart is slow"),
        (event(service="cart", title="  two\n lines "), "cart: two lines"),
        (event(service="cart", kind="note.added", title=" "), "cart: a report"),
    ],
)
def test_what_names_service_and_hazard_once(hazard: Event, expected: str) -> None:
    assert title("{what}", hazard) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("[P3] [Triggered] p95 of pricing is high", "cart: p95 of pricing is high"),
        ("[FIRING:2] Lag", "cart: Lag"),
        ("[stream-3] 2 of 4 are down", "cart: [stream-3] 2 of 4 are down"),
        ("[P1]", "cart: [P1]"),
        ("I am declaring an incident because keys are public", "cart: keys are public"),
        ("We're opening an incident for the lost nodes", "cart: the lost nodes"),
        ("Instance i-0a1b2c3d4e5f67890 is retired on Friday", "cart: Instance is retired on Friday"),
        ("Volume vol-0a1b2c3d4e5f67890 is full", "cart: Volume is full"),
        ("web-0a1b2c3d4e5f is down", "cart: web is down"),
        ("host i-95 is slow", "cart: host i-95 is slow"),
    ],
)
def test_tags_of_paging_tools_before_a_title_are_left_out(told: str, expected: str) -> None:
    assert title("{what}", event(service="cart", title=told)) == expected


def test_a_flag_is_called_by_its_own_name() -> None:
    flag = event(kind="change.flag_set", service="cart", subject="flag/default/basket", labels={"flag": "basket"})
    assert title("{service}: flag {hazard.subject} – back", flag) == "cart: flag basket – back"


def test_a_long_title_is_cut_at_its_first_sentence_or_at_a_word() -> None:
    assert title("{what}", event(title="Credentials are public. " + "The impact is unknown. " * 9)) == (
        "Credentials are public"
    )
    cut = title("{what}", event(title="word " * 60))
    assert cut.endswith("word…")
    assert len(cut) <= LONGEST_WHAT + 1
    assert len(title("{what}", event(title="x" * 500))) <= LONGEST_WHAT + 1
    # Only the word that no longer fits is left out.
    assert title("{what}", event(title="a" * 80 + " bb cc ddddddddd")) == "A" + "a" * 79 + " bb cc…"


def test_an_action_at_once_is_not_said_to_take_zero_seconds() -> None:
    assert title("{what} – {elapsed} in", action=event()) == "checkout: error rate above 5 % – less than a second in"


@pytest.mark.parametrize(
    ("kind", "noun"), [("change.ran", "a command"), ("alert.acknowledged", "an alert"), ("impact.started", "an event")]
)
def test_each_kind_has_a_noun(kind: str, noun: str) -> None:
    assert kind_noun(event(kind=kind)) == noun


@pytest.mark.parametrize(("kind", "words"), [("change.rolled_back", "rolled back"), ("change.merged", "change merged")])
def test_each_kind_has_words(kind: str, words: str) -> None:
    assert kind_words(event(kind=kind)) == words


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (6.0, "6"),
        (1234567.0, "1,234,567"),
        (0.5, "0.5"),
        (12.34567, "12.35"),
        (-3.0, "-3"),
        (999_999_999_999_999.0, "999,999,999,999,999"),
        (1e15, "1e+15"),
        (-1e15, "-1e+15"),
    ],
)
def test_numbers_are_said_as_people_write_them(number: float, said: str) -> None:
    assert say_number(number) == said


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        (None, "someone"),
        (Actor(id="x", kind="unknown"), "someone"),
        (Actor(id="bot", kind="automation"), "automation"),
        (Actor(id="ada", kind="human"), "a person"),
        (Actor(id="ada", kind="human", on_call=True), "the person on call"),
        (Actor(id="ada", kind="human", on_call=False), "a person off rotation"),
    ],
)
def test_who_acted_is_a_part_and_never_a_name(actor: Actor | None, said: str) -> None:
    assert who(event(actor=actor)) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.9, "less than a second"), (1, "1 s"), (-0.9, "less than a second")])
def test_a_second_is_the_least_that_is_said(seconds: float, said: str) -> None:
    action = event(id="b", time=HOUR_OF_ALERT + int(seconds * 1_000_000))
    assert title("in {elapsed}", action=action) == f"In {said}"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("by {intervention.kind_words}", "By rolled back"),
        ("{service} is slow", "checkout is slow"),
        ("so {hazard.value} of {hazard.limit}", "So 1,200 of 2.5"),
        ("so {hazard.expires_at}", "So 2027-01-15T08:00:00Z"),
        ("so {hazard.began_at}", "So something"),
        ("so {hazard.labels.cell}", "So something"),
        ("so {hazard.title}", "So error rate above 5 %"),
        ("so {intervention.title}", "So a rollback"),
        ("so {hazard.subject}", "So error-rate"),
    ],
)
def test_fields_of_both_events_may_be_named(template: str, said: str) -> None:
    hazard = event(
        service="checkout", subject="error-rate", title="error rate above 5 %", value=1200.0, limit=2.5,
        expires_at=HOUR_OF_ALERT, labels={"cell": ""},
    )  # fmt: skip
    assert title(template, hazard) == said


def test_a_flag_without_a_label_is_called_by_its_subject_and_other_changes_always_are() -> None:
    assert title("flag {hazard.subject}", event(kind="change.flag_set", subject="s")) == "Flag s"
    changed = event(kind="change.configured", subject="s", labels={"flag": "basket"})
    assert title("flag {hazard.subject}", changed) == "Flag s"


@pytest.mark.parametrize(("length", "shown"), [(LONGEST_WHAT, LONGEST_WHAT), (LONGEST_WHAT + 1, LONGEST_WHAT + 1)])
def test_ninety_characters_of_a_title_are_shown(length: int, shown: int) -> None:
    """One more is cut, and the ellipsis says so."""
    said = title("{what}", event(title="X" * length))
    assert LONGEST_WHAT == 90
    assert len(said) == shown
    assert said.endswith("…") is (length > LONGEST_WHAT)


@pytest.mark.parametrize(("length", "is_cut"), [(LONGEST_WHAT, False), (LONGEST_WHAT + 1, True)])
def test_a_first_sentence_of_ninety_characters_is_shown_whole(length: int, is_cut: bool) -> None:
    said = title("{what}", event(title="X" * length + ". And more. And so on."))
    assert said.endswith("…") is is_cut
    assert said.startswith("X" * LONGEST_WHAT)


def test_that_an_alert_was_silenced_is_not_said_twice() -> None:
    assert title("{what}", event(kind="alert.silenced", title="silenced: Lag")) == "Lag"
    assert title("{what}", event(title="silenced: Lag")) == "Silenced: Lag"


def test_people_appear_by_the_part_they_played() -> None:
    by = event(kind="change.ran", actor=Actor(id="ada", kind="human", on_call=True))
    assert title("{what} – fixed by {intervention.who}", action=by).endswith("fixed by the person on call")


FINGERPRINT, COMMIT = "b2f1c0de9a7e4d13", "3f2a9c1d77e0b4a6f5d8c9e1a2b3c4d5e6f70819"
UUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("hazard", "expected"),
    [
        (event(service="cart", subject=FINGERPRINT), "cart: an alert"),
        (event(service="cart", title=f"Deploy {COMMIT} to production"), "cart: Deploy to production"),
        (
            event(service="cart", title=f"Image shop/cart@sha256:{COMMIT} rolled out"),
            "Image shop/cart rolled out",
        ),
        (event(service="cart", title=f"Run ({UUID}) is slow"), "cart: Run is slow"),
        (event(service="cart", title=UUID, subject="nightly"), "cart: an alert on nightly"),
        (event(service="cart", title="Order 4012345678901234567 waits"), "cart: Order waits"),
        # Names, versions and numbers that people say.
        (event(service="cart", title="Release 2026.02.02-3 of cart"), "Release 2026.02.02-3 of cart"),
        (event(service="cart", title="abcdefabcdef and 202602021200"), "cart: abcdefabcdef and 202602021200"),
        (event(service="cart", title="Pod cart-7d9f8b6c5d-x2x9z restarts"), "Pod cart-7d9f8b6c5d-x2x9z restarts"),
    ],
)
def test_no_hash_stands_in_a_headline(hazard: Event, expected: str) -> None:
    assert title("{what}", hazard) == expected


def test_a_part_that_would_be_a_hash_is_left_out() -> None:
    undone = event(id="b", kind="change.deployed", subject=FINGERPRINT, labels={"version": COMMIT})
    said = title("{what} – undone {intervention.subject} – {intervention.labels.version} – back", action=undone)
    assert said == "checkout: error rate above 5 % – back"


@pytest.mark.parametrize(
    ("before", "left"),
    [(40 * "(", 36 * "("), (40 * "@", 36 * "@"), ("a" + 9 * " " + "(((((", "a" + 9 * " " + "(")],
)
def test_only_so_much_of_what_stands_before_a_hash_goes_with_it(before: str, left: str) -> None:
    """Runs without a bound would be tried at each character: the cube of their length."""
    assert for_people(f"b{before}5f3a9c0e7d1b48261a2b") == f"b{left}".strip(" :,;-")
