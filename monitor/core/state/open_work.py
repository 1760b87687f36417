"""Candidates and episodes in progress, with the indexes by which they are found: by key, rule, service and alert.

Code that changes one must touch it, so that its cell is written.
"""

from __future__ import annotations

from monitor.core.model.faults import Fault
from monitor.core.state.candidates import Instance
from monitor.core.state.episodes import Episode

Timer = tuple[int, str, str]
"""(event time, "wake" | "close", id of the episode)."""


class OpenWork:
    """The candidates and episodes of an engine; `dirty`: the cells that changed since the last snapshot.

    `made`: the rules of every candidate that was added; its reader may clear it.
    """

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}
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

    def add_instance(self, instance: Instance) -> None:
        self.instances[instance.id] = instance
        self.made.add(instance.rule)
        if instance.is_newest:
            # Those that are restored come in any order, so that each knows whether another came after it.
            before = self.instances.get(self.by_key.get((instance.rule, instance.key), ""))
            if before is not None and before is not instance:
                before.is_newest = False
                self.touch_instance(before)
            self.by_key[instance.rule, instance.key] = instance.id
        self.open_by_rule.setdefault(instance.rule, {}).setdefault(instance.service, set()).add(instance.id)
        self.open_by_service[instance.service] = self.open_by_service.get(instance.service, 0) + 1
        for key in instance.tracks:
            self.by_alert.setdefault(key, set()).add(instance.id)
        self.touch_instance(instance)

    def track_alert(self, instance: Instance, key: str) -> None:
        self.by_alert.setdefault(key, set()).add(instance.id)

    def remove_instance(self, instance: Instance) -> None:
        del self.instances[instance.id]
        if self.by_key.get((instance.rule, instance.key)) == instance.id:
            del self.by_key[instance.rule, instance.key]
        by_service = self.open_by_rule[instance.rule]
        by_service[instance.service].discard(instance.id)
        if not by_service[instance.service]:
            del by_service[instance.service]
        self.open_by_service[instance.service] -= 1
        if not self.open_by_service[instance.service]:
            del self.open_by_service[instance.service]
        for key in instance.tracks:
            holders = self.by_alert.get(key)
            if holders is not None:
                holders.discard(instance.id)
                if not holders:
                    del self.by_alert[key]
        self.touch_instance(instance)

    def touch_instance(self, instance: Instance) -> None:
        self.dirty.add(f"instance:{instance.id}")

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
        for name in episode.instances:
            if (instance := self.instances.get(name)) is not None:
                self.remove_instance(instance)
        self.remove_episode(episode)

    def fault_of(self, timer: Timer | None) -> Fault:
        """Of a timer that failed; its events are the hazards of the episode."""
        name = None if timer is None else timer[2]
        episode = None if name is None else self.episodes.get(name)
        known = [] if episode is None else [self.instances.get(each) for each in episode.instances]
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
