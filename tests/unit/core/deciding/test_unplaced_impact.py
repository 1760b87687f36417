"""Impact or drafts on a name that the catalogue does not know: users hit in an unknown place may be hit here."""

from __future__ import annotations

import pytest

from monitor.core.deciding.impact import may_be_in
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
