"""A case is read whole or refused with the place of every flaw."""

from __future__ import annotations

import pytest

from monitor.core.model.events import MINUTE
from monitor.lab.cases import BadCase, read_case, unknown_keys

EVENT = {"id": "e1", "source": "pager", "time": "2026-02-03T10:00:00+01:00", "kind": "alert.fired", "service": "shop"}


def written(**changes: object) -> dict[str, object]:
    case: dict[str, object] = {
        "id": "one",
        "label": "near_miss",
        "catalogue": {"user_facing": ["shop"], "depends_on": {"shop": ["db"]}},
        "events": [EVENT],
        "expect": {"drafts": 1, "hazard": ["e1"]},
    }
    return {**case, **changes}


def flaws(data: object) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(BadCase) as caught:
        read_case(data)
    return [(flaw.path, flaw.message) for flaw in caught.value.flaws]


def test_a_case_has_its_own_catalogue_and_events() -> None:
    case = read_case(written())
    assert case.catalogue.is_user_facing("shop")
    assert case.catalogue.knows("db")
    assert [event.id for event in case.events] == ["e1"]
    assert (case.confidence, case.expect.hazard, case.expect.mode) == ("high", ("e1",), "live")


def test_an_event_repeats_until_its_end_is_included() -> None:
    feed = {**EVENT, "id": "f1", "kind": "impact.clear", "every": "10m", "until": "2026-02-03T10:20:00+01:00"}
    case = read_case(written(events=[EVENT, feed]))
    repeats = case.events[1:]
    assert [event.id for event in repeats] == ["f1#0", "f1#1", "f1#2"]
    assert repeats[2].time - repeats[0].time == 20 * MINUTE


def test_every_broken_event_is_named_by_its_place() -> None:
    without_offset = {**EVENT, "time": "2026-02-03T10:00:00"}
    found = flaws(written(events=[EVENT, without_offset, {**EVENT, "kind": "alert.burned"}]))
    assert [path[:2] for path, _ in found] == [("events", 1), ("events", 2)]
    assert "offset" in found[0][1]
    assert "alert.burned" in found[1][1]


def test_an_expected_event_that_is_not_there_is_named() -> None:
    assert flaws(written(expect={"hazard": ["e1", "e9"]})) == [
        (("expect", "hazard", 1), "no event of this case has the id 'e9'")
    ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"label": "nearly"}, ("label",)),
        ({"expect": {"drafts": "many"}}, ("expect", "drafts")),
        ({"catalogue": {"user_facing": 3}}, ("catalogue",)),
        ({"events": "none"}, ("events",)),
        ({"events": [EVENT, 3]}, ("events", 1)),
    ],
)
def test_a_wrong_value_is_found_where_it_stands(change: dict[str, object], path: tuple[str | int, ...]) -> None:
    assert [found for found, _ in flaws(written(**change))] == [path]


@pytest.mark.parametrize("data", [None, [], "text", {}])
def test_what_is_no_case_is_refused(data: object) -> None:
    assert flaws(data)


def test_keys_that_mean_nothing_are_told_but_do_no_harm() -> None:
    data = written(expect={"hazzard": ["e1"]}, notes="x")
    assert [flaw.path for flaw in unknown_keys(data)] == [("notes",), ("expect", "hazzard")]
    assert read_case(data).expect.hazard == ()
