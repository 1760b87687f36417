"""What the feeds that are pulled saw in the last day, from what the puller keeps, and what nobody watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR
from monitor.core.model.feed_views import FeedsView, FeedView, Watch
from monitor.core.model.reasons import FeedStep
from monitor.feeds import day_strip as history
from monitor.feeds.queries import PulledFeed
from monitor.feeds.strip import SEEING, blind

CELLS = 96
LATE_AFTER = 15 * 60 * 1_000_000
"""Behind by more, a feed counts as silent."""
TROUBLE = "/trouble"


class CursorState(msgspec.Struct, frozen=True):
    """What a cursor says besides: the steps before it, and how long one is."""

    at: int
    past: str = ""
    past_step: int = 0


_KEPT = msgspec.json.Decoder(CursorState)


def overview(feeds: Sequence[PulledFeed], cursors: Mapping[str, str], catalogue: Catalogue, now: int) -> FeedsView:
    """`cursors` by their key, as the puller saved them."""
    views = tuple(_view(feed, cursors, now) for feed in feeds)
    facing = sorted(name for name, each in catalogue.services.items() if each.user_facing)
    return FeedsView(views, tuple(_watch(name, views, catalogue) for name in facing))


def _view(feed: PulledFeed, cursors: Mapping[str, str], now: int) -> FeedView:
    key = feed.name.digest
    kept = _read(cursors.get(key, ""))
    most = DAY // feed.step
    steps = history.read(kept.past, most) if kept and kept.past_step == feed.step else []
    # The strip ends now: what was not looked at yet is no part of the day that was seen.
    missing = min(most, max(0, (now - feed.settle - kept.at) // feed.step)) if kept else 0
    day: list[FeedStep | None] = [*steps, *[None] * missing][-most:]
    name = feed.name
    return FeedView(
        name.service,
        name.environment,
        name.source,
        name.evidence,
        tuple(_cells([*[None] * (most - len(day)), *day])),
        tuple((str(reason), count * feed.step) for reason, count in blind(steps)),
        None if kept is None else max(0, now - feed.settle - kept.at),
        cursors.get(key + TROUBLE) or None,
        _last_hour(steps, feed.step),
    )


def _read(text: str) -> CursorState | None:
    try:
        return _KEPT.decode(text) if text else None
    except msgspec.DecodeError:
        return None


def _cells(day: Sequence[FeedStep | None]) -> list[str]:
    """Each cell shows the worst of its steps, and `none` where nothing was looked at."""
    bounds = [place * len(day) // CELLS for place in range(CELLS + 1)]
    return [_cell([step for step in day[start:end] if step is not None]) for start, end in pairwise(bounds)]


def _cell(steps: Sequence[FeedStep]) -> str:
    if not steps:
        return "none"
    if FeedStep.HURT in steps:
        return "hurt"
    return "clear" if all(step is FeedStep.CLEAR for step in steps) else "blind"


def _last_hour(steps: Sequence[FeedStep], step: int) -> str | None:
    """Why the feed saw nothing in its last hour; None where it saw something, or has not looked yet."""
    recent = steps[-(HOUR // step) :]
    if not recent or any(each in SEEING for each in recent):
        return None
    return str(blind(recent)[0][0])


def _watch(service: str, views: Sequence[FeedView], catalogue: Catalogue) -> Watch:
    """Whether drafts about a service can be judged by what is pulled, and why not."""
    pulled = [view for view in views if view.service == service]
    seeing = tuple(view.source for view in pulled if _sees(view))
    if seeing:
        return Watch(service, seeing, None)
    if pulled:
        return Watch(service, (), "; ".join(f"{view.source}: {_why(view)}" for view in pulled))
    named = sorted({feed.source or "any source" for feed in catalogue.feeds if feed.service == service})
    if named:
        return Watch(service, (), f"only what is sent: {', '.join(named)}")
    return Watch(service, (), "no feed")


def _sees(view: FeedView) -> bool:
    return view.behind is not None and view.behind <= LATE_AFTER and view.last_hour is None


def _why(view: FeedView) -> str:
    if view.trouble is not None:
        return view.trouble
    if view.last_hour is not None:
        return view.last_hour
    return "not asked yet" if view.behind is None else "behind"
