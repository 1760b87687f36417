"""Impact on a name that the catalogue does not know: users who were hit in an unknown place may have been hit here."""

from __future__ import annotations

import pytest

from monitor.core.deciding.impact import may_be_in
from monitor.core.model.catalogue import Catalogue, Service
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
