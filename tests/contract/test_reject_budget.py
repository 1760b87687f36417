"""What every store must do about the size of rejects: keep within it, and let nobody take another's room."""

from __future__ import annotations

import pytest

from monitor.core.model.events import Instant
from monitor.core.model.reasons import Rejected
from monitor.ports import Commit, Reject, Retention
from monitor.store.database import Store
from monitor.store.reject_budget import SOURCE_SHARE, STRANGER_SHARE, RejectBudget, category_of
from tests.support.records import BASE

LIMIT = 1_600_000
BODY = bytes(10_000)


@pytest.fixture(autouse=True)
def _small(store: Store) -> None:
    store.rejects._budget = store.retention._reject_budget = RejectBudget(LIMIT)


def reject(source: str = "events", reason: str = "not_json", body: bytes = BODY) -> Reject:
    return Reject(source, reason, "", body, BASE)


async def fill(store: Store, source: str, count: int, reason: str = "not_json") -> None:
    for _ in range(count):
        await store.rejects.add([reject(source, reason)])


async def held(store: Store) -> dict[str, int]:
    found: dict[str, int] = {}
    after = None
    while page := await store.rejects.page(after, 100):
        for each in page:
            category = category_of(each.source, each.reason)
            found[category] = found.get(category, 0) + len(each.body)
        after = page[-1].id
    return found


async def test_a_source_that_takes_more_than_its_share_loses_its_oldest(store: Store) -> None:
    await store.rejects.add([reject("github/shop", body=b"the oldest of another")])
    await fill(store, "events", 100)
    left = await held(store)
    assert LIMIT // SOURCE_SHARE - 2 * len(BODY) <= left["events"] <= LIMIT // SOURCE_SHARE
    assert left["github"] == len("the oldest of another")
    (oldest, *_) = [each for each in await store.rejects.page(None, 100) if each.source == "events"]
    assert oldest.id is not None
    assert oldest.id > 50
    pruned = await store.retention.prune(Retention(), Instant(BASE))
    assert pruned.rows["rejects_evicted"] == 100 - left["events"] // len(BODY)


async def test_accounts_of_one_tool_share_its_room(store: Store) -> None:
    for account in range(100):
        await store.rejects.add([reject(f"github/{account}")])
    assert (await held(store))["github"] <= LIMIT // SOURCE_SHARE


@pytest.mark.parametrize("reason", [Rejected.UNKNOWN_SOURCE, Rejected.BAD_SIGNATURE, Rejected.TOO_LARGE])
async def test_strangers_share_a_little_room_whatever_names_they_use(store: Store, reason: str) -> None:
    await store.rejects.add([reject("pagerduty/acme", body=b"broken, and really sent")])
    for number in range(100):
        await store.rejects.add([reject(f"pagerduty/{number}", reason)])
        await store.rejects.add([reject(f"made-up-{number}", Rejected.UNKNOWN_SOURCE)])
    left = await held(store)
    assert left["strangers"] <= LIMIT // STRANGER_SHARE
    assert left["pagerduty"] == len("broken, and really sent")


async def test_all_together_stay_within_the_limit(store: Store) -> None:
    for source in ("events", "github", "pagerduty", "kubernetes", "statuspage", "alertmanager"):
        await fill(store, source, 60)
    left = await held(store)
    assert sum(left.values()) <= LIMIT
    assert len(left) == 6


async def test_the_newest_is_kept_however_large_it_is(store: Store) -> None:
    await fill(store, "events", 3)
    (number,) = await store.rejects.add([reject(body=bytes(LIMIT))])
    assert [each.id for each in await store.rejects.page(None, 10)] == [number]


async def test_what_the_engine_adds_is_bounded_by_the_housekeeping(store: Store) -> None:
    saved = await store.engine_store.acquire("engine")
    rejects = tuple(Reject("events", "not_json", "", BODY, BASE, origin=f"ops/0/{n}") for n in range(100))
    await store.engine_store.commit(
        Commit(decisions=(), cells={}, positions={}, epoch=saved.epoch, at=Instant(BASE), rejects=rejects)
    )
    pruned = await store.retention.prune(Retention(), Instant(BASE))
    assert pruned.rows["rejects_evicted"] >= 60
    assert (await held(store))["events"] <= LIMIT // SOURCE_SHARE
