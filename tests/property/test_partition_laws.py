"""The laws of distribution: however many partitions carry the events, the drafts are those of one engine."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.conditions import Compare
from monitor.core.model.decisions import Decision, Ignore, Late
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, EventId, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Intervention, Step
from monitor.core.sharding.routing import SHARDS, Router, partitions_of, shards_of
from monitor.decode.canonical import decode_line
from monitor.lab.generator import StreamShape, generate, make_catalogue
from monitor.lab.ledger import Ledger
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.property.test_engine_laws import disordered
from tests.support.organisations import shops, write_catalogue
from tests.support.partitions import engines_of, keep, routed, run_partition
from tests.support.shipped import read_shipped
from tests.support.streams import PERSON, acted_rule, final, law_rules, make_event, new_engine, shop, streams

ORGANISATIONS = 6
PARTITIONS = (1, 2, 4, 8)


def organisations() -> Catalogue:
    """The shop several times over; nothing connects them but a declared domain for two of them."""
    services = {
        f"{place}-{name}": Service(
            f"{place}-{name}",
            depends_on=tuple(f"{place}-{other}" for other in service.depends_on),
            user_facing=service.user_facing,
            domain="joined" if place < 2 and name == "shop" else None,
        )
        for place in range(ORGANISATIONS)
        for name, service in shop().services.items()
    }
    return Catalogue(services=services, production=frozenset({"production"}))


def spread(stream: list[Event]) -> list[Event]:
    """The same stream, told of several organisations by turns; what names no service is for all of them.

    Each organisation has its own account of a tool, and so does its mail, which nothing connects with the rest: an
    incident of one account is of services that lie together. What is said of one that is not:
    `test_an_incident_of_services_that_nothing_connects_has_its_notes_at_each`.
    """
    spread_out = []
    for place, event in enumerate(stream):
        number = (sum(event.id.encode()) + place // 7) % ORGANISATIONS
        service = None if event.service is None else f"{number}-{event.service}"
        of_mail = event.service == "mail" or (event.service is None and place % 4 == 0)
        account = f"{event.source}/{'joined' if number < 2 and not of_mail else number}{'-mail' if of_mail else ''}"
        labels = event.labels
        if event.kind.startswith("maintenance.") and place % 2:
            labels = {**labels, "scope": f"{number}-db, {(number + 3) % ORGANISATIONS}-api"}
        spread_out.append(msgspec.structs.replace(event, source=account, service=service, labels=labels))
    return spread_out


WEIGHED = EngineSettings(weights=msgspec.structs.replace(shipped_weights(), live=0.2, digest=0.2))
"""Low thresholds, so that what was learned decides often."""


def whole(stream: list[Event], settings: EngineSettings = EngineSettings()) -> list[Decision]:
    engine = new_engine(catalogue=organisations(), settings=settings)
    return engine.step(stream) + engine.tick(_after(stream))


def divided(
    stream: list[Event], partitions: int, batch: int = 1000, settings: EngineSettings = EngineSettings()
) -> list[Decision]:
    decided: list[Decision] = []
    for partition, entries in enumerate(routed(stream, organisations(), partitions)):
        shards = engines_of(law_rules(), organisations(), partition, partitions, settings=settings)
        decided += run_partition(shards, entries, _after(stream), batch)
    return decided


def _after(stream: list[Event]) -> Instant:
    return Instant(max(event.time for event in stream) + 40 * DAY)


def refusals(decided: list[Decision]) -> Counter[object]:
    """Everything of a known service that was not opened, by reason, rules and evidence: nothing is said twice."""
    ignored = (d for d in decided if isinstance(d, Ignore) and d.service is not None)
    return Counter((d.reason, d.rules, d.service, d.evidence, d.detail) for d in ignored)


def unplaced(decided: list[Decision]) -> set[tuple[object, EventId]]:
    """What was not opened since nobody knows where it was."""
    ignored = (d for d in decided if isinstance(d, Ignore) and d.service is None)
    return {((d.reason, d.rules, d.detail), event_id) for d in ignored for event_id in d.evidence}


def only_notes_more(apart: list[Decision], together: list[Decision], stream: list[Event]) -> bool:
    """Whether all that one engine could not place no other could, and nothing but notes beyond.

    A note has its incident's service where the incident is known; the engine that it is at home in may not know it.
    """
    notes = {event.event_id for event in stream if event.kind == "note.added"}
    more = unplaced(apart) - unplaced(together)
    return unplaced(together) <= unplaced(apart) and all(event_id in notes for _, event_id in more)


@given(streams(), st.integers(0, 2**32), st.sampled_from(PARTITIONS), st.sampled_from([EngineSettings(), WEIGHED]))
def test_partitions_give_the_drafts_of_one(
    stream: list[Event], seed: int, partitions: int, settings: EngineSettings
) -> None:
    arrivals = disordered(spread(stream), seed)
    together, apart = whole(arrivals, settings), divided(arrivals, partitions, settings=settings)
    assert final(apart) == final(together)
    assert refusals(apart) == refusals(together)
    assert only_notes_more(apart, together, arrivals)


Pause = tuple[int, int]
"""After so many events time goes on: so many microseconds beyond the newest of them."""


def whole_with_pauses(stream: list[Event], pauses: list[Pause]) -> list[Decision]:
    engine = new_engine(catalogue=organisations())
    decided: list[Decision] = []
    before = 0
    for place, beyond in pauses:
        decided += engine.step(stream[before:place]) + engine.tick(_newest(stream[:place], beyond))
        before = place
    return decided + engine.step(stream[before:]) + engine.tick(_after(stream))


def divided_with_pauses(stream: list[Event], partitions: int, pauses: list[Pause]) -> list[Decision]:
    """A mark lies in every partition, after what was written before it."""
    decided: list[Decision] = []
    pieces = [
        routed(stream[before:place], organisations(), partitions)
        for before, place in pairwise([0, *(place for place, _ in pauses), len(stream)])
    ]
    until = [*(_newest(stream[:place], beyond) for place, beyond in pauses), _after(stream)]
    for partition in range(partitions):
        shards = engines_of(law_rules(), organisations(), partition, partitions)
        for piece, at in zip(pieces, until, strict=True):
            decided += run_partition(shards, piece[partition], at)
    return decided


def _newest(stream: list[Event], beyond: int) -> Instant:
    return Instant(max(event.time for event in stream) + beyond)


@given(
    streams(),
    st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 2 * DAY)), max_size=3),
    st.sampled_from(PARTITIONS),
)
def test_time_that_goes_on_in_the_midst_shows_in_partitions_as_in_one(
    stream: list[Event], seed: int, given_pauses: list[Pause], partitions: int
) -> None:
    """What comes after a pause may be late, by two days; late it is for everybody, and by the same decisions."""
    arrivals = disordered(spread(stream), seed)
    pauses = sorted((min(place, len(arrivals)), beyond) for place, beyond in given_pauses)
    together, apart = whole_with_pauses(arrivals, pauses), divided_with_pauses(arrivals, partitions, pauses)
    assert final(apart) == final(together)
    assert refusals(apart) == refusals(together)


@pytest.mark.parametrize("pause", [1000, 3000, 5000])
def test_a_mark_in_the_midst_of_a_backlog_takes_the_same_drafts_from_many_as_from_one(
    tmp_path: Path, pause: int
) -> None:
    """Half of six days is written when somebody says that all is: what comes then is late, and what would have been
    opened and withdrawn is refused at once. Where the mark lies decides, not how many engines read.
    """
    now = Instant(SECOND * 1_800_000_000)
    events = shops(2, Instant(now - 3 * HOUR))
    rules, (catalogue, _) = read_shipped(), load_catalogue(write_catalogue(2, tmp_path))

    def drafts(pauses: list[int], partitions: int | None) -> dict[str, dict[str, object]]:
        ledger = Ledger()
        for partition in range(partitions or 1):
            read = engines_of(rules, catalogue, partition, partitions) if partitions else None
            engine = Engine(rules, catalogue, make_regex)
            for before, place in pairwise([0, *pauses, len(events)]):
                until = now if place == len(events) else Instant(now - MINUTE)
                if read is None:
                    ledger.record(engine.step(events[before:place]) + engine.tick(until))
                else:
                    pieces = routed(events[before:place], catalogue, partitions or 1)
                    ledger.record(run_partition(read, pieces[partition], until))
        return {str(entry.draft.id): entry.line() for entry in ledger.entries()}

    paused, undisturbed = drafts([pause], None), drafts([], None)
    assert drafts([pause], 4) == paused
    assert drafts([], 4) == undisturbed
    if pause < 3500:  # the complaints of customers came in after it
        missing = [undisturbed[each]["state"] for each in undisturbed.keys() - paused.keys()]
        assert missing == ["withdrawn"] * 2


@given(streams(), st.lists(st.integers(0, 1000), max_size=30), st.sampled_from(PARTITIONS))
def test_duplicates_in_partitions_do_not_matter(stream: list[Event], places: list[int], partitions: int) -> None:
    """A producer that was killed sends again; what was sent reaches some partitions twice."""
    once = spread(stream)
    doubled = list(once)
    for place in places:
        doubled.insert((place + 7) % (len(doubled) + 1), once[place % len(once)])
    doubled.sort(key=lambda e: (e.time, e.source, e.id))
    assert final(divided(doubled, partitions)) == final(whole(once))


@given(streams(), st.integers(0, 2**32), st.integers(1, 20))
def test_where_batches_end_does_not_matter_in_a_partition(stream: list[Event], late: int, batch: int) -> None:
    """Neither for events that come too late: what is late follows from the journal, not from how it was read."""
    arrivals = spread(stream)
    for place in range(0, len(arrivals), 5):
        arrivals.append(arrivals.pop((place * 31 + late) % len(arrivals)))
    at_once, in_pieces = divided(arrivals, 2), divided(arrivals, 2, batch)
    assert final(in_pieces) == final(at_once)
    assert refusals(in_pieces) == refusals(at_once)
    assert Counter(d for d in in_pieces if isinstance(d, Late)) == Counter(d for d in at_once if isinstance(d, Late))


@given(streams(), st.lists(st.integers(0, 60), max_size=4), st.integers(0, 2**32))
def test_a_partition_that_changes_its_owner_goes_on(stream: list[Event], stops: list[int], seed: int) -> None:
    arrivals = disordered(spread(stream), seed)
    decided: list[Decision] = []
    for partition, entries in enumerate(routed(arrivals, organisations(), 2)):
        shards = engines_of(law_rules(), organisations(), partition, 2)
        saved: dict[str, dict[str, bytes]] = {}
        for place, (event, route) in enumerate(entries):
            decided += shards.step([event], [route])
            keep(saved, shards)
            if place in stops:
                shards = engines_of(law_rules(), organisations(), partition, 2, saved)
        decided += shards.tick(_after(arrivals))
    together = whole(arrivals)
    assert final(decided) == final(together)
    assert refusals(decided) == refusals(together)


@cache
def _generated(seed: int) -> tuple[Catalogue, tuple[Event, ...]]:
    """What the tools of ten organisations send, with disorder, each event in twenty twice."""
    events: list[Event] = []
    services: dict[str, Service] = {}
    for place in range(10):
        shape = StreamShape(
            events=3000, services=40, user_facing=4, rate=0.05, disorder=0.05, candidates=0.1, seed=seed + place
        )
        for service in make_catalogue(shape).services.values():
            name = f"{place}-{service.name}"
            depends_on = tuple(f"{place}-{other}" for other in service.depends_on)
            services[name] = msgspec.structs.replace(service, name=name, depends_on=depends_on)
        for line in generate(shape):
            event = decode_line(line)
            named = None if event.service is None else f"{place}-{event.service}"
            events.append(msgspec.structs.replace(event, id=f"{place}-{event.id}", service=named))
    arrivals = disordered(events, seed)
    again = [event for place, event in enumerate(arrivals) if place % 20 == 0]
    keyed = [(event.time, 0, event) for event in arrivals] + [(event.time + 1_000_000, 1, event) for event in again]
    keyed.sort(key=lambda each: (each[0], each[1], each[2].source, each[2].id))
    return Catalogue(services=services, production=frozenset({"production"})), tuple(each[2] for each in keyed)


def _settings(weighed: bool) -> EngineSettings:
    return EngineSettings(weights=shipped_weights() if weighed else None)


@cache
def _generated_together(weighed: bool) -> list[Decision]:
    """What one engine comes to: the same, however many partitions it is compared with."""
    catalogue, events = _generated(11)
    engine = Engine(read_shipped(), catalogue, make_regex, _settings(weighed))
    return engine.step(events) + engine.tick(_after(list(events)))


@pytest.mark.parametrize(
    ("partitions", "weighed"), [(1, False), (2, False), (4, False), (8, False), (1, True), (4, True)]
)
def test_generated_organisations_in_partitions(partitions: int, weighed: bool) -> None:
    catalogue, events = _generated(11)
    rules, settings = read_shipped(), _settings(weighed)
    until = _after(list(events))
    together = _generated_together(weighed)
    apart: list[Decision] = []
    lists = routed(events, catalogue, partitions)
    for partition, entries in enumerate(lists):
        shards = engines_of(rules, catalogue, partition, partitions, settings=settings)
        apart += run_partition(shards, entries, until)
    assert len(final(together)) > (5 if weighed else 100)
    assert final(apart) == final(together)
    assert refusals(apart) == refusals(together)
    assert all(lists), "every partition has something to do"


def test_what_may_concern_each_other_lies_together() -> None:
    catalogue = organisations()
    router = Router(catalogue)
    for service in catalogue.services:
        near = catalogue.around(service) | catalogue.upward(service) | catalogue.downward(service)
        assert len({router.shard_of(other) for other in near}) == 1
    assert router.shard_of("0-db") == router.shard_of("1-db"), "one declared domain joins what it names"
    assert len({router.shard_of(f"{place}-db") for place in range(ORGANISATIONS)}) > 2


@pytest.mark.parametrize("kind", ["impact.started", "incident.opened"])
@pytest.mark.parametrize("place", ["d41757d3", "0-db-prod2"])
def test_harm_far_away_counts_for_a_name_without_a_place(place: str, kind: str) -> None:
    """Whatever shard the harm is at home in: that of a service the name resembles, or any at all."""
    for number in (0, 3) if place == "d41757d3" else (0,):
        stream = [
            make_event("alert.fired", 0, "fired", service=place, subject="errors", severity="high"),
            make_event(kind, 5, "hurt", service=f"{number}-shop", labels={"impact": "users"}),
            make_event("change.restarted", 10, "acted", service=place, actor=PERSON),
            make_event("alert.resolved", 12, "fine", service=place, subject="errors"),
        ]
        apart = divided(stream, 4)
        assert final(apart) == final(whole(stream)) == {}
        assert any(isinstance(one, Ignore) and one.reason is NotOpened.IMPACT_SEEN for one in apart)


def drafts_and_refusals(stream: list[Event]) -> list[tuple[object, object]]:
    """What one engine comes to, and what four partitions do."""
    together, apart = whole(stream), divided(stream, 4)
    return [(final(decided), refusals(decided)) for decided in (together, apart)]


def test_announced_work_ends_everywhere_though_its_end_lists_fewer_services() -> None:
    stream = [
        make_event("maintenance.started", 0, "begins", service="5-mail", subject="m", labels={"scope": "5-db, 2-api"}),
        make_event("maintenance.ended", 30, "ends", service="5-mail", subject="m"),
        make_event("change.rolled_back", 40, "acted", service="5-db", actor=PERSON),
        make_event("change.rolled_back", 40, "acted-there", service="2-api", actor=PERSON),
    ]
    together, apart = drafts_and_refusals(stream)
    assert apart == together
    covered = NotOpened.COVERED_BY_MAINTENANCE
    assert not any(isinstance(one, Ignore) and one.reason is covered for one in divided(stream, 4))


def test_what_is_said_of_one_thing_of_no_service_is_compared_wherever_it_was_read() -> None:
    """The value of the second alert is worse than that of the first; each would be in a shard of its own."""
    stream = [
        make_event("alert.fired", number, f"f{number}", service=None, subject="disk", value=50.0 + number, limit=100.0)
        for number in range(6)
    ]
    stream += [make_event("change.deployed", 9, "d", service=None, labels={"version": "1"})]
    together, apart = whole(stream), divided(stream, 4)
    assert unplaced(apart) == unplaced(together)
    assert {said.rules for said in apart if isinstance(said, Ignore)} == {("worse",)}


def test_a_merge_that_reverts_makes_a_rollback_of_what_it_is_rolled_out_to() -> None:
    rolled_back = Compare("derived.rollback", "equals", (True,))
    rule = acted_rule(intervention=Intervention(Step(frozenset({"change.deployed"}), rolled_back), HOUR))
    stream = [
        make_event("change.merged", 0, "m", service="0-mail", labels={"version": "c2", "reverts": "c1"}),
        make_event("alert.fired", 5, "fired", service="3-api", subject="errors", severity="high"),
        make_event("change.deployed", 20, "acted", service="3-api", actor=PERSON, labels={"version": "c2"}),
        make_event("alert.resolved", 22, "fine", service="3-api", subject="errors"),
    ]
    together = Engine([rule], organisations(), make_regex)
    assert len(final(together.step(stream) + together.tick(_after(stream)))) == 1
    apart: list[Decision] = []
    for partition, entries in enumerate(routed(stream, organisations(), 4)):
        apart += run_partition(engines_of([rule], organisations(), partition, 4), entries, _after(stream))
    assert len(final(apart)) == 1


def test_a_note_that_names_no_service_meets_its_act_in_any_shard() -> None:
    title = "pgbouncer pool 93% in use"
    stream = [
        make_event("alert.fired", 0, "fired", service="3-api", subject="pool", title=title, severity="high"),
        make_event("note.added", 5, "n", service=None, title="the pool creeps up, that's wrong", actor=PERSON),
        make_event("change.rolled_back", 10, "acted", service="3-api", actor=PERSON),
        make_event("alert.resolved", 12, "fine", service="3-api", subject="pool", title=title),
    ]
    together, apart = whole(stream, WEIGHED), divided(stream, 4, settings=WEIGHED)
    assert final(apart) == final(together)
    assert any("'id': 'n'" in str(draft) for draft in final(apart).values())


def test_an_incident_of_services_that_nothing_connects_has_its_notes_at_each() -> None:
    """One engine takes the latest service; no shard knows the services of another."""
    stream = [
        make_event("alert.fired", 0, "f1", service="1-shop", subject="s"),
        make_event("alert.fired", 5, "f2", service="2-shop", subject="s"),
        make_event("note.added", 9, "n", service=None, subject="s"),
    ]
    at = [
        {one.service for one in decided if isinstance(one, Ignore) and "young" in one.rules} - {None}
        for decided in (whole(stream), divided(stream, 4))
    ]
    assert at == [{"2-shop"}, {"1-shop", "2-shop"}]


@pytest.mark.parametrize("partitions", [1, 3, 4, 256])
def test_every_shard_has_one_partition(partitions: int) -> None:
    found = sorted(shard for partition in range(partitions) for shard in shards_of(partition, partitions))
    assert found == list(range(SHARDS))
    for partition in range(partitions):
        assert partitions_of(shards_of(partition, partitions), partitions) == (partition,)
