"""The verdict's policy as one value: how far apart events may lie and still belong to one story. In microseconds."""

from __future__ import annotations

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE


class VerdictPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is a boundary; what lies exactly on it still counts."""

    before_first_sign: int = 5 * MINUTE
    """The window begins this long before the first sign: users may notice before a tool does."""
    reopen_within: int = 24 * HOUR
    """Impact in the scope this long after safe, and the episode's alerts this long after its last action, count."""
    reported_within: int = 48 * HOUR
    """Impact in the scope that a person reports without a beginning counts this long after safe: tickets come late."""
    grave_within: int = HOUR
    """A grave alert that the episode does not cite moves safe if it fired this long after the action at most."""
    tied_within: int = 7 * DAY
    """Impact on the same subject, change or incident this long after safe withdraws the draft."""
    longest_episode: int = 7 * DAY
    """A candidate joins an episode that began this long before it; an open deadline extends a window by this much."""
    deadline_slack: int = HOUR
    """A window that is held through a deadline ends this long after it."""
    chain_within: int = HOUR
    """An episode that begins at most this long after an action is a consequence of it."""
    feed_retires: int = HOUR
    """A feed that stopped this long before the window, or four of its intervals, is no feed of the window."""
    sibling_close: int = 15 * MINUTE
    """An action on a sibling counts only where the recovery followed this closely."""
    never_ends: int = 24 * HOUR
    """Impact, incidents and maintenance whose end is never reported are closed after this."""
    unplaced_before: int = 2 * HOUR
    """A report that nobody can place counts if a person made it at most this long before the first sign."""
    lone_end_within: int = 15 * MINUTE
    """A check that recovers, and nobody heard that it failed, counts from the first sign until so long after safe."""
    report_delay: int = HOUR
    """A person's report without a beginning is taken to have begun this much earlier."""


POLICY = VerdictPolicy()
