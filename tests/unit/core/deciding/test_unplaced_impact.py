"""Impact or drafts on a name that the catalogue does not know: users hit in an unknown place may be hit here."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from monitor.core.deciding.reach import may_be_in
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import Event
from monitor.core.model.reasons import NotOpened
from monitor.lab.ledger import Ledger
from tests.support.streams import PERSON, acted_rule, final, make_event, new_engine, run

CATALOGUE = Catalogue(
    {
        "checkout": Service("checkout", ("payments-db",), user_facing=True),
        "payments-db": Service("payments-db"),
        "newsletter": Service("newsletter", user_facing=True),
    }
)
SCOPE = frozenset({"checkout", "payments-db"})


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("Checkout Web", True),
        ("svc_payments", True),
        ("d41757d3", True),
        ("newsletter-prod", False),
        ("newsletter", False),
        ("checkout", False),
    ],
)
def test_which_unknown_names_may_be_in_a_scope(name: str, may: bool) -> None:
    """A known name is what it is; one that resembles another known service is that one's."""
    assert may_be_in(name, SCOPE, CATALOGUE) is may


def test_without_a_catalogue_only_alike_names_may_be_in_it() -> None:
    nothing = Catalogue()
    assert may_be_in("Checkout Web", SCOPE, nothing)
    assert not may_be_in("d41757d3", SCOPE, nothing)


@pytest.mark.parametrize(("place", "drafts"), [("d41757d3", 0), ("newsletter", 1)])
def test_users_hit_in_an_unknown_place_leave_no_draft(place: str, drafts: int) -> None:
    stream = [
        make_event("alert.fired", 0, "fired", service="checkout", subject="errors", severity="high"),
        make_event("impact.started", 5, "hurt", service=place, labels={"evidence": "ticket"}),
        make_event("change.restarted", 10, "acted", service="checkout", actor=PERSON),
        make_event("alert.resolved", 12, "fine", service="checkout", subject="errors"),
    ]
    assert len(final(run(new_engine([acted_rule()], CATALOGUE), stream))) == drafts


def story(place: str, hurt: str, at: float, **more: object) -> list[Event]:
    """An alert on the place at minute 0, a person acts at 10, fine at 12; users of another service are hurt at `at`.

    The window ends at minute 132.
    """
    return [
        make_event("alert.fired", 0, "fired", service=place, subject="errors", severity="high"),
        make_event("change.restarted", 10, "acted", service=place, actor=PERSON),
        make_event("alert.resolved", 12, "fine", service=place, subject="errors"),
        make_event("impact.started", at, "hurt", service=hurt, **more),
        make_event("impact.ended", at + 5, "over", service=hurt, **more),
    ]


def in_order(stream: list[Event]) -> list[Event]:
    return sorted(stream, key=lambda event: event.time)


def standing(decided: list[Decision]) -> int:
    """How many drafts stand in the end."""
    ledger = Ledger()
    ledger.record(decided)
    return len(ledger.standing())


@pytest.mark.parametrize(
    ("place", "hurt", "at", "drafts"),
    [
        ("d41757d3", "checkout", 5, 0),  # may be anywhere, and users were hurt meanwhile
        ("d41757d3", "checkout", 100, 0),
        ("d41757d3", "checkout", 600, 1),  # long after the window: nothing ties the two
        ("payments_db-2", "checkout", 600, 0),  # most likely a part of what checkout depends on
        ("payments_db-2", "newsletter", 5, 1),
        ("payments-db", "newsletter", 5, 1),
    ],
)
def test_a_draft_on_a_name_without_a_place(place: str, hurt: str, at: float, drafts: int) -> None:
    stream = in_order(story(place, hurt, at))
    assert standing(run(new_engine([acted_rule()], CATALOGUE), stream)) == drafts


def test_the_reason_says_what_to_do_about_the_name() -> None:
    decided = run(new_engine([acted_rule()], CATALOGUE), in_order(story("d41757d3", "checkout", 5)))
    (seen,) = [one for one in decided if isinstance(one, Ignore) and one.reason is NotOpened.IMPACT_SEEN]
    assert "d41757d3" in seen.detail
    assert "nearmiss services suggest" in seen.detail


def test_an_incident_with_users_hurt_counts_for_a_name_without_a_place() -> None:
    stream = story("d41757d3", "newsletter", 600)
    stream += [
        make_event("incident.opened", 5, "record", service="payments-db", labels={"impact": "users"}),
        make_event("incident.closed", 9, "closed", service="payments-db"),
    ]
    assert standing(run(new_engine([acted_rule()], CATALOGUE), in_order(stream))) == 0


def test_work_announced_elsewhere_says_nothing_of_a_name_without_a_place() -> None:
    stream = in_order(story("d41757d3", "checkout", 5, labels={"planned": "true"}))
    assert standing(run(new_engine([acted_rule()], CATALOGUE), stream)) == 1


@pytest.mark.parametrize(("place", "stands"), [("d41757d3", False), ("payments_db-2", False), ("newsletter-2", True)])
@pytest.mark.parametrize("days", [2, 20])
def test_impact_told_late_withdraws_it(place: str, stands: bool, days: int) -> None:
    """Also when the engine no longer follows the draft."""
    engine = new_engine([acted_rule()], CATALOGUE)
    first = [event for event in story(place, "checkout", 5) if not event.kind.startswith("impact.")]
    told = make_event("impact.started", days * 1440, "told", service="checkout", began_at=first[0].time)
    daily = [make_event("note.added", day * 1440 - 60, f"day{day}", service="newsletter") for day in range(1, days + 1)]
    decided = engine.step([*first, *daily])
    assert standing(decided) == 1
    decided += engine.step([told]) + engine.end()
    assert bool(standing(decided)) is stands


def test_without_a_catalogue_no_name_is_a_stranger() -> None:
    stream = in_order(story("d41757d3", "checkout", 5))
    assert standing(run(new_engine([acted_rule()], Catalogue()), stream)) == 1


# -- what people write of users, on an incident and on a part that nobody outside sees ------------------------------

SHOPS = Catalogue(
    {
        "checkout": Service("checkout", ("payments-db", "vault"), user_facing=True),
        "payments-db": Service("payments-db"),
        "vault": Service("vault"),
        "mail": Service("mail", ("relay",), user_facing=True),
        "relay": Service("relay"),
    }
)
HARM = "shoppers lost their baskets, customers could not pay from 10:05 to 10:09"


def paged(*, written: str, subject: str | None) -> list[Event]:
    return [
        make_event("alert.fired", 0, "fired", service="checkout", subject="Q1", severity="high", source="pagerduty/a"),
        make_event("change.restarted", 10, "acted", service="checkout", actor=PERSON),
        make_event("alert.resolved", 12, "fine", service="checkout", subject="Q1", source="pagerduty/a"),
        make_event("note.added", 30, "said", service=None, title=written, subject=subject, source="pagerduty/a",
                   actor=PERSON),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "subject", "drafts"),
    [(HARM, "Q1", 0), ("all fine, nobody noticed", "Q1", 1), (HARM, "Q2", 1), (HARM, None, 1)],
    ids=["on the incident", "nothing of users", "on an incident that nobody knows", "on no incident"],
)
def test_harm_that_a_note_tells_is_that_of_its_incident_and_else_of_none(
    written: str, subject: str | None, drafts: int
) -> None:
    stream = paged(written=written, subject=subject)
    assert standing(run(new_engine([acted_rule()], SHOPS), stream)) == drafts


@pytest.mark.parametrize(
    ("broken", "evidence", "drafts"),
    [("vault", "report", 0), ("vault", "slo", 1), ("relay", "report", 1)],
    ids=["told of what serves the same users", "measured there", "told of what serves others"],
)
@pytest.mark.parametrize("at", [5, 20, 60 * 24 * 5], ids=["in the window", "soon", "in days"])
def test_whoever_uses_a_part_uses_what_stands_on_it(broken: str, evidence: str, drafts: int, at: float) -> None:
    """Nobody outside sees the vault: whom it hurts are those of the checkout, as whom the database would have hurt."""
    stream = in_order(story("payments-db", broken, at, labels={"evidence": evidence}, began_at=None))
    if at > 60 * 24:  # long after, only what is told of the window itself withdraws
        stream = [
            replace(event, began_at=stream[0].time, time=event.time) if event.kind == "impact.started" else event
            for event in stream
        ]
    assert standing(run(new_engine([acted_rule()], SHOPS), stream)) == drafts


@pytest.mark.parametrize(("broken", "drafts"), [("vault", 0), ("relay", 1)])
def test_a_record_names_what_broke_and_not_whom_it_hurt(broken: str, drafts: int) -> None:
    stream = [
        *story("payments-db", "mail", 5000)[:3],
        make_event("incident.opened", 6, "open", service=broken, subject="I1", labels={"impact": "unknown"}),
        make_event("incident.updated", 40, "more", service=broken, subject="I1", labels={"impact": "users"}),
    ]
    assert standing(run(new_engine([acted_rule()], SHOPS), in_order(stream))) == drafts


@pytest.mark.parametrize(
    ("place", "evidence", "at", "drafts"),
    [
        ("d41757d3", "ticket", -121, 1),
        ("d41757d3", "ticket", -119, 0),
        ("d41757d3", "ticket", 5, 0),
        ("d41757d3", "slo", -121, 0),
        ("Checkout Web", "ticket", -121, 0),
        (None, "ticket", -121, 1),
        (None, "ticket", 5, 0),
        (None, "status_post", -121, 0),
    ],
)
def test_what_was_told_long_before_of_nobody_knows_where_is_no_harm_of_it(
    place: str | None, evidence: str, at: float, drafts: int
) -> None:
    """Whoever has a help desk hears of something every hour; a probe, a post and a name that is alike say where."""
    stream = [
        *story("payments-db", "mail", 5000)[:3],
        make_event("impact.started", at, "hurt", service=place, labels={"evidence": evidence}),
    ]
    assert standing(run(new_engine([acted_rule()], CATALOGUE), in_order(stream))) == drafts
