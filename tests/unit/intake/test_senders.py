"""Which secret guards which source, which sources are open, and whose names an event may carry."""

from __future__ import annotations

import pytest

from monitor.intake.senders import IntakeAccess, canonical_names

SECRETS = {"pagerduty": ("general",), "pagerduty/acme": ("old", "new"), "github/acme": ("key",), "events/ci": ("ci",)}


@pytest.mark.parametrize(
    ("source", "secrets"),
    [
        ("pagerduty/acme", ("old", "new")),
        ("pagerduty/acme/team", ("old", "new")),
        ("pagerduty/other", ("general",)),
        ("pagerduty", ("general",)),
        ("github/acme/shop", ("key",)),
        ("statuspage", ()),
    ],
)
def test_the_nearest_name_with_a_secret_guards_a_source(source: str, secrets: tuple[str, ...]) -> None:
    access = IntakeAccess(SECRETS)
    assert access.secrets_of(source) == secrets
    assert access.refusal(source) is None


@pytest.mark.parametrize("source", ["github", "github/other", "github/acme2", "events", "events/other"])
def test_a_tool_with_any_secret_denies_every_account_that_is_not_listed(source: str) -> None:
    refusal = IntakeAccess(SECRETS).refusal(source)
    assert refusal is not None
    assert "other accounts of" in refusal
    assert IntakeAccess(SECRETS, frozenset({source})).refusal(source) is None


def test_where_others_can_reach_it_a_source_without_a_secret_has_to_be_named_as_open() -> None:
    access = IntakeAccess(SECRETS, frozenset({"statuspage"}), is_local=False)
    assert access.refusal("statuspage") is None
    assert access.refusal("statuspage/shop") is None
    assert access.refusal("pagerduty/acme") is None
    refusal = access.refusal("kubernetes")
    assert refusal is not None
    assert "can be reached from other machines" in refusal
    assert IntakeAccess().refusal("kubernetes") is None


@pytest.mark.parametrize("door", ["events", "cloudevents", "github", "events/ci"])
@pytest.mark.parametrize("claimed", ["nearmiss", "nearmiss/review", "Nearmiss/Review", " nearmiss/x", "/./nearmiss/x"])
def test_our_own_names_are_ours_alone(door: str, claimed: str) -> None:
    assert not IntakeAccess().may_carry(door, claimed)


@pytest.mark.parametrize(
    ("door", "claimed", "may"),
    [
        ("events", "probe", True),
        ("events", "nearmiss-probe", True),
        ("events", "/some/uri", True),
        ("events", "", True),
        ("events", "statuspage/shop", True),  # it is open: whoever wants can send there
        ("events", "pagerduty/acme", False),
        ("events", "PagerDuty/acme", False),
        ("events", "pagerduty", False),
        ("events", "github/unlisted", False),
        ("pagerduty/acme", "pagerduty/acme", True),
        ("pagerduty/other", "pagerduty/another", True),  # the secret of the tool is theirs too
        ("pagerduty/other", "pagerduty/acme", False),
        ("events/ci", "ci", True),
        ("events/ci", "ci/build", True),
        ("events/ci", "cicada", False),
        ("events/ci", "probe", False),
    ],
)
def test_what_was_proved_bounds_the_source_of_an_event(door: str, claimed: str, may: bool) -> None:
    assert IntakeAccess(SECRETS).may_carry(door, claimed) is may


@pytest.mark.parametrize(
    ("door", "may"),
    [
        ("events", True),
        ("statuspage", False),
        ("github", False),
        ("cdevents", False),
        ("cloudevents", True),
        ("cloudevents/ci", True),
        ("cdevents/ci", True),
    ],
)
def test_where_events_have_a_secret_no_other_door_takes_what_names_itself(door: str, may: bool) -> None:
    access = IntakeAccess(
        {"events": ["s"], "github": ["s"]}, open_sources=frozenset({"statuspage", "cloudevents", "cdevents/ci"})
    )
    assert access.may_carry(door, "probe") is may
    assert access.may_carry(door, "/some/uri") is may


def test_without_secrets_an_event_may_name_any_tool() -> None:
    assert IntakeAccess().may_carry("events", "github/acme/shop")


@pytest.mark.parametrize(
    ("names", "said"), [(["nobody"], "names no source"), (["pagerduty/Acme", "pagerduty/acme"], "stands there twice")]
)
def test_a_configured_name_that_is_none_or_stands_there_twice_is_named(names: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        canonical_names(names)
