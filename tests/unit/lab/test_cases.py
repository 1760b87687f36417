"""A case is read whole or refused with the place of every flaw."""

from __future__ import annotations

import pytest

from monitor.core.model.events import MINUTE, to_text
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


SENT = {
    "at": "2026-02-03T09:05:00Z",
    "source": "alertmanager/acme",
    "body": {
        "version": "4",
        "status": "firing",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "DiskFull", "service": "db", "severity": "critical"},
                "startsAt": "2026-02-03T09:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "a1b2",
            }
        ],
    },
}


def test_a_case_may_be_told_in_the_bodies_of_tools() -> None:
    case = read_case(written(events=[], bodies=[SENT], expect={"drafts": 1, "hazard": [0]}))
    (fired,) = case.events
    assert (fired.kind, fired.service, fired.source) == ("alert.fired", "db", "alertmanager/acme")
    assert to_text(fired.received_at) == "2026-02-03T09:05:00Z"
    assert case.expect.hazard == (fired.id,), "the number of a body stands for its events"


def test_events_and_bodies_may_stand_in_one_case() -> None:
    case = read_case(written(bodies=[SENT], expect={"hazard": ["e1", 0]}))
    assert [event.kind for event in case.events] == ["alert.fired", "alert.fired"]
    assert case.expect.hazard[0] == "e1"


def test_a_body_that_gives_nothing_cannot_be_cited_and_breaks_nothing_else() -> None:
    test = {
        "at": "2026-02-03T09:06:00Z",
        "source": "github/acme",
        "headers": {"X-GitHub-Event": "ping"},
        "body": {"zen": "-"},
    }
    assert len(read_case(written(bodies=[test])).events) == 1
    assert flaws(written(bodies=[test], expect={"hazard": [0, 1, -1]})) == [
        (("expect", "hazard", 0), "body 0 gives no event"),
        (("expect", "hazard", 1), "body 1 gives no event"),
        (("expect", "hazard", 2), "body -1 gives no event"),
    ]


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"at": "2026-02-03T09:05:00"}, ("bodies", 0, "at"), "offset"),
        ({"source": "alertmangler"}, ("bodies", 0, "source"), "nothing reads 'alertmangler'"),
        ({"body": "{"}, ("bodies", 0, "body"), "alertmanager/acme refuses it"),
    ],
)
def test_a_body_that_cannot_be_read_is_named_by_its_place(
    change: dict[str, object], path: tuple[str | int, ...], words: str
) -> None:
    ((found, message),) = flaws(written(bodies=[{**SENT, **change}]))
    assert found == path
    assert words in message


def test_a_case_without_any_events_is_refused() -> None:
    assert flaws(written(events=[], expect={})) == [((), "a case has `events`, `bodies`, or both")]


@pytest.mark.parametrize("name", ["\N{SUPERSCRIPT TWO}", "9" * 5000, "1_0"])
def test_what_is_no_number_of_a_body_is_an_id_that_is_not_there(name: str) -> None:
    ((path, message),) = flaws(written(bodies=[SENT], expect={"hazard": [name]}))
    assert path == ("expect", "hazard", 0)
    assert "no event of this case has the id" in message


@pytest.mark.parametrize("change", [{"label": "\ud800"}, {"bodies": [{**SENT, "body": "\ud800"}]}])
def test_half_a_character_is_a_flaw(change: dict[str, object]) -> None:
    ((_, message),) = flaws(written(**change))
    assert "half a character" in message
