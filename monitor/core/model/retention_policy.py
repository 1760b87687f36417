"""The retention policy as one value: how long, and how many, of each kind of thing the engine stores.

TTLs are in microseconds of event time. Rules may ask for longer TTLs of the events that their steps match.
"""

from __future__ import annotations

import msgspec

from monitor.core.model.events import DAY, HOUR
from monitor.core.model.rule import LONGEST_HOLD, LONGEST_WINDOW, MOST_COUNTED
from monitor.core.model.verdict_policy import POLICY


class RetentionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    impact: int = LONGEST_WINDOW + LONGEST_HOLD + DAY
    """Impact, incidents and maintenance: a verdict looks back over a hazard's window and a hold."""
    event: int = 25 * HOUR
    """Any other event that some rule or verdict may want."""
    change: int = 6 * HOUR
    """Changes, which only rules want: for events that come late or twice."""
    context: int = POLICY.longest_episode + 2 * DAY
    """What a draft cites beside its steps: an episode and the longest usual hold."""
    recovery: int = DAY
    """A hazard with a longer window stores itself when its alert was cleared; the recovery may be evicted by then."""
    late_allowance: int = HOUR
    """Added to every TTL of a rule, since what belongs to it may arrive late."""
    last_value: int = 400 * DAY
    """Versions, settings, revisions and rotations: a yearly certificate is still known at its renewal."""
    incident_service: int = 14 * DAY
    """Which service an incident has, and which merged commits revert another."""
    measured_value: int = 30 * DAY
    repeat: int = 180 * DAY
    """Drafts of the same service and subject."""
    past_draft: int = 400 * DAY
    """Services and window of a draft: impact in them may be reported long afterwards."""
    most_per_kind: int = MOST_COUNTED
    """The newest so many events of one kind of one service."""
    most_beyond_ttl: int = 12
    """So many, where only further steps of a rule look so far back: a busy service would fill the memory."""
    most_values: int = 20
    """Last values of one thing."""
    most_tracks: int = 64
    """Other alerts that one episode follows."""
    most_references: int = 512
    """Events, and subjects, that one episode cites."""
    evict_every: int = DAY
    """Eviction runs at multiples of this event time, so that neither batches nor ticks show."""
    long: int = 16 * DAY
    """Events with a longer TTL have chunks of their own, so that the many are evicted with theirs."""


RETENTION = RetentionPolicy()
