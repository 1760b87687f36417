"""Candidates and episodes in progress, with the indexes by which they are found: by key, rule, service and alert.

Code that changes one must touch it, so that its cell is written.
"""

from __future__ import annotations

from monitor.core.model.faults import Fault
from monitor.core.state.candidates import Candidate
from monitor.core.state.episodes import Episode

Timer = tuple[int, str, str]
"""(event time, "wake" | "close", id of the episode)."""


class OpenWork:
    """The candidates and episodes of an engine; `dirty`: the cells that changed since the last snapshot.

    `made`: the rules of every candidate that was added; its reader may clear it.
    """

    def __init__(self) -> None:
        self.candidates: dict[str, Candidate] = {}
        self.episodes: dict[str, Episode] = {}
        self.dirty: set[str] = set()
        self.made: set[str] = set()
        # Indexes, derived from the above.
        self.by_key: dict[tuple[str, str], str] = {}
        self.open_by_rule: dict[str, dict[str, set[str]]] = {}
        self.open_by_service: dict[str, int] = {}
        self.by_alert: dict[str, set[str]] = {}
        self.citing: dict[str, set[str]] = {}
        self.active: dict[str, set[str]] = {}

    # -- candidates --------------------------------------------------------------------------------------------

    def add_candidate(self, candidate: Candidate) -> None:
        self.candidates[candidate.id] = candidate
        self.made.add(candidate.rule)
        if candidate.is_newest:
            # Those that are restored come in any order, so that each knows whether another came after it.
            before = self.candidates.get(self.by_key.get((candidate.rule, candidate.key), ""))
            if before is not None and before is not candidate:
                before.is_newest = False
                self.touch_candidate(before)
            self.by_key[candidate.rule, candidate.key] = candidate.id
        self.open_by_rule.setdefault(candidate.rule, {}).setdefault(candidate.service, set()).add(candidate.id)
        self.open_by_service[candidate.service] = self.open_by_service.get(candidate.service, 0) + 1
        for key in candidate.tracks:
            self.by_alert.setdefault(key, set()).add(candidate.id)
        self.touch_candidate(candidate)

    def track_alert(self, candidate: Candidate, key: str) -> None:
        self.by_alert.setdefault(key, set()).add(candidate.id)

    def remove_candidate(self, candidate: Candidate) -> None:
        del self.candidates[candidate.id]
        if self.by_key.get((candidate.rule, candidate.key)) == candidate.id:
            del self.by_key[candidate.rule, candidate.key]
        by_service = self.open_by_rule[candidate.rule]
        by_service[candidate.service].discard(candidate.id)
        if not by_service[candidate.service]:
            del by_service[candidate.service]
        self.open_by_service[candidate.service] -= 1
        if not self.open_by_service[candidate.service]:
            del self.open_by_service[candidate.service]
        for key in candidate.tracks:
            holders = self.by_alert.get(key)
            if holders is not None:
                holders.discard(candidate.id)
                if not holders:
                    del self.by_alert[key]
        self.touch_candidate(candidate)

    def touch_candidate(self, candidate: Candidate) -> None:
        self.dirty.add(f"instance:{candidate.id}")

    # -- episodes ----------------------------------------------------------------------------------------------

    def add_episode(self, episode: Episode) -> None:
        self.episodes[episode.id] = episode
        self.register(episode)
        self.touch_episode(episode)

    def register(self, episode: Episode) -> None:
        """The episode may cite services that it did not cite before."""
        for service in episode.services:
            self.citing.setdefault(service, set()).add(episode.id)
            if not episode.closed:
                self.active.setdefault(service, set()).add(episode.id)

    def touch_episode(self, episode: Episode) -> None:
        self.dirty.add(f"episode:{episode.id}")

    def close_episode(self, episode: Episode) -> None:
        """It takes no more evidence; what it cites is remembered."""
        episode.closed = True
        _unregister(self.active, episode)
        self.touch_episode(episode)

    def remove_episode(self, episode: Episode) -> None:
        del self.episodes[episode.id]
        _unregister(self.citing, episode)
        _unregister(self.active, episode)
        self.dirty.add(f"episode:{episode.id}")

    def drop_episode(self, episode: Episode) -> None:
        """Forget an episode that cannot be judged, and its candidates."""
        for name in episode.candidates:
            if (candidate := self.candidates.get(name)) is not None:
                self.remove_candidate(candidate)
        self.remove_episode(episode)

    def fault_of(self, timer: Timer | None) -> Fault:
        """Of a timer that failed; its events are the hazards of the episode."""
        name = None if timer is None else timer[2]
        episode = None if name is None else self.episodes.get(name)
        known = [] if episode is None else [self.candidates.get(each) for each in episode.candidates]
        return Fault(name, [event for each in known if each is not None for event in each.hazards.events])

    def episodes_citing(self, services: frozenset[str]) -> list[Episode]:
        """Episodes that cite one of these services, in the order of their ids."""
        found = set[str]().union(*[self.citing[service] for service in self.citing.keys() & services])
        return [self.episodes[episode_id] for episode_id in sorted(found)]

    def is_watched(self, service: str | None) -> bool:
        return service in self.active or service in self.open_by_service


def _unregister(index: dict[str, set[str]], episode: Episode) -> None:
    for service in episode.services:
        known = index.get(service)
        if known is not None:
            known.discard(episode.id)
            if not known:
                del index[service]
