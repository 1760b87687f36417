"""Rejects that are read again: what can be read now gets into the journal, once, and what was turned away does not."""

from __future__ import annotations

import gzip

from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.intake.requeue import requeue
from monitor.intake.senders import IntakeAccess
from monitor.ops.clock import ManualClock
from monitor.ports import Reject
from monitor.store.database import Store

NOW = Instant(1_792_000_000 * SECOND)
EVENT = b'{"id": "r1", "source": "test", "time": "2026-10-14T00:00:00Z", "kind": "note.added", "service": "checkout"}'


async def _kept(store: Store, reason: Rejected, body: bytes, source: str = "events") -> Reject:
    (reject_id,) = await store.rejects.add([Reject(source, str(reason), "", body, NOW)])
    reject = await store.rejects.get(reject_id)
    assert reject is not None
    return reject


async def test_what_can_be_read_now_is_in_the_journal_once(store: Store) -> None:
    clock = ManualClock(NOW + MINUTE)
    reject = await _kept(store, Rejected.DECODER_FAILED, EVENT)
    first = await requeue(reject, store.journal, store.rejects, clock, MINUTE, IntakeAccess())
    again = await requeue(reject, store.journal, store.rejects, clock, MINUTE, IntakeAccess())
    assert (first.accepted, first.duplicates, first.still) == (1, 0, ())
    assert (again.accepted, again.duplicates, again.still) == (0, 1, ())
    batch = await store.journal.read({}, 10)
    assert [(event.id, event.received_at) for event in batch.events] == [("r1", NOW)]
    assert [kept.requeued_at for kept in await store.rejects.page(None, 10)] == [NOW + MINUTE]
    assert await store.rejects.count() == 0


async def test_what_still_cannot_be_read_stays_and_says_why(store: Store) -> None:
    reject = await _kept(store, Rejected.NOT_JSON, b"{")
    done = await requeue(reject, store.journal, store.rejects, ManualClock(NOW), MINUTE, IntakeAccess())
    assert not done.is_done
    assert done.still[0].startswith("not_json: ")
    assert await store.rejects.count() == 1


async def test_what_gives_no_event_by_intention_is_done(store: Store) -> None:
    reject = await _kept(store, Rejected.DECODER_FAILED, b"", "alertmanager")
    done = await requeue(reject, store.journal, store.rejects, ManualClock(NOW), MINUTE, IntakeAccess())
    assert (done.ignored, done.is_done) == ((Ignored.EMPTY,), True)


async def test_a_forged_delivery_does_not_get_in_by_being_requeued(store: Store) -> None:
    reject = await _kept(store, Rejected.BAD_SIGNATURE, EVENT)
    done = await requeue(reject, store.journal, store.rejects, ManualClock(NOW), MINUTE, IntakeAccess())
    assert not done.is_done
    assert (await store.journal.read({}, 10)).events == ()


async def test_an_event_of_ours_does_not_get_in_by_being_requeued(store: Store) -> None:
    reject = await _kept(store, Rejected.DECODER_FAILED, EVENT.replace(b'"test"', b'"nearmiss/review"'))
    done = await requeue(reject, store.journal, store.rejects, ManualClock(NOW), MINUTE, IntakeAccess())
    assert done.still[0].startswith("foreign_source: ")
    assert (await store.journal.read({}, 10)).events == ()


async def test_a_body_that_was_kept_packed_is_unpacked(store: Store) -> None:
    packed = Reject("events", "decoder_failed", "", gzip.compress(EVENT), NOW, {"content-encoding": "gzip"})
    (reject_id,) = await store.rejects.add([packed])
    reject = await store.rejects.get(reject_id)
    assert reject is not None
    done = await requeue(reject, store.journal, store.rejects, ManualClock(NOW), MINUTE, IntakeAccess())
    assert (done.accepted, done.still) == (1, ())
