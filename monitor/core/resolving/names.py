"""Which service of the catalogue an event is about, by any name that tools use, and what that rests on.

A name joins a service by an alias, exactly, or where it is the same without case and separators and only one service
has that name. One that has a usual word before or behind it besides (`checkout-prod`, `k8s-checkout`) is a guess, and
marked as one. Names that are merely alike are proposed (`nearest`), never joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import lru_cache

from monitor.core.model.catalogue import Alias, Catalogue
from monitor.core.model.events import Event
from monitor.core.model.words import plain
from monitor.core.resolving.labels import hosts, is_exporter, named, repositories, workloads

_SUFFIXES = ("service", "svc", "api", "app", "server", "prod", "production", "prd", "backend", "deployment", "main")
_ROLES = frozenset(
    {"service", "svc", "app", "application", "server", "backend", "deployment", "deploy", "main", "repo"}
)
_BESIDE = _ROLES | {"k8s", "kube", "prod", "production", "prd", "live"}
"""Words that tools put beside a service's name: a role, a place or the environment in which users live."""
_COMMON = _BESIDE | frozenset(("api", "web", "worker", "queue", "cache", "store", "gateway", "cluster", "node", "the"))
"""Words that many services share: they tell none from another."""
_WORDS = re.compile(r"[a-z0-9]+")
GUESSED = "guess"
"""How the reason begins for a name that was joined by a guess."""
_ALIKE = 0.8

_SPOKEN_OF = ("alert.", "note.", "incident.", "change.")
"""Kinds whose words may name the service. Of impact nobody guesses whose it is."""
_OWN_NAMES = ("service_id", "application", "app", "project", "flag", "resource", "resource_name", "dataset", "entity")
"""Labels in which a tool says what it calls the thing, where it knows no services."""
_OF_SEVERAL = re.compile(r"(.+?[a-z])[-_.]?\d{0,4}(?:\.[a-z0-9-]+){0,6}", re.IGNORECASE)
"""A host as one of several: `orders-db-01`, `orders-db2.prod.example.net`."""
_PIPELINE = re.compile(
    r"(?:deploy(?:ment)?|release|rollout|rollback)(?:[-_. ](?:to[-_. ])?(?:prod|production|prd))?[-_. ]"
    r"([a-z0-9][\w.-]*)"
    r"|([a-z0-9][\w.-]*?)(?:[-_. ](?:prod|production|prd))?[-_. ](?:deploy(?:ment|er)?|release|rollout|rollback|cd)",
    re.IGNORECASE,
)
"""A job that deploys, and what."""
_WORKLOAD = "Deployment"
_WORKLOADS = frozenset({_WORKLOAD, "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Rollout", "Node", "Namespace"})
"""Objects that are services of their own. Others, such as a Secret, belong to the one whose name theirs begins with."""
_MOST_SAID, _MOST_WORDS = 2000, 5
"""Characters that are looked through, and words that a name may have."""

Named = tuple[str, str]
"""A service, and what says so."""


class Pattern:
    """A name in which `*` stands for any text; case does not matter. Takes linear time."""

    def __init__(self, text: str) -> None:
        self._parts = text.casefold().split("*")

    def matches(self, text: str) -> bool:
        told = text.casefold()
        first, *between = self._parts
        if not between:
            return told == first
        last = between.pop()
        if not told.startswith(first) or not told.endswith(last) or len(told) < len(first) + len(last):
            return False
        place, end = len(first), len(told) - len(last)
        for part in between:
            place = told.find(part, place, end)
            if place < 0:
                return False
            place += len(part)
        return True


class Names:
    """The names of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._services = frozenset(catalogue.services)
        seen = [name for name, service in catalogue.services.items() if service.user_facing]
        self._names: dict[str, str] = {}
        self._sources: dict[tuple[str, str], str] = {}
        self._workloads: dict[str, str] = {}
        self._by: dict[str, list[tuple[Alias, Pattern]]] = {}
        for alias in catalogue.aliases:
            if alias.by == "name":
                self._names[plain(alias.value)] = alias.service
            elif alias.by == "source":
                self._sources[alias.of or "", plain(alias.value)] = alias.service
            elif alias.by == "workload" and "*" not in alias.value:
                self._workloads[alias.value.casefold()] = alias.service
            else:
                self._by.setdefault(alias.by, []).append((alias, Pattern(alias.value)))
        self._spoken: dict[str, list[tuple[str, str]]] = {}
        for alias in catalogue.aliases:
            if alias.by == "source" and (words := _WORDS.findall(alias.value.casefold())):
                self._spoken.setdefault(alias.of or "", []).append((f" {' '.join(words)} ", alias.service))
        self._by_source = frozenset(name for _, name in self._sources)
        spelt: dict[str, set[str]] = {}
        for name in self._services:
            spelt.setdefault(plain(name), set()).add(name)
        self._spelt = {word: next(iter(names)) for word, names in spelt.items() if len(names) == 1}
        bare: dict[str, set[str]] = {}
        for name in self._services:
            bare.setdefault(_bare(name), set()).add(name)
        self._bare = {word: next(iter(names)) for word, names in bare.items() if word and len(names) == 1}
        self._guesses = _Guesses(self._names, self._spelt, self._joined, seen[0] if len(seen) == 1 else None)

    def tells(self, name: str | None) -> bool:
        """Whether the name alone identifies the service, in every source and event."""
        if name is None or is_exporter(name) or plain(name) in self._by_source:
            return False
        return not self._services or self._joined(name) is not None

    def of(self, event: Event) -> Named | None:
        """The service of an event where it is another than the event says, and by what; else None."""
        name = event.service
        if (called := self._called(event, name)) is not None:
            return called if called[0] != name else None
        measured = name is not None and is_exporter(name)
        if name is not None and not measured and (joined := self._joined(name)) is not None:
            return joined if joined[0] != name else None
        found = next(self._by_alias(event), None) or self._by_workload(event)
        if found is None and (name is None or measured) and (said := named(event.labels)) is not None:
            found = said[1], f"label {said[0]}"
        found = found or self._guesses.of(event) or _by_host(event)
        return found if found is not None and found[0] != name else None

    def _called(self, event: Event, name: str | None) -> Named | None:
        """By what this very source calls it."""
        if not self._sources:
            return None
        told = [name] if name else []
        if name is None or self._joined(name) is None:
            labels = event.labels
            told += [labels[label] for label in _OWN_NAMES if label in labels]
            told += [found for _, found in (*repositories(labels), *hosts(labels), *workloads(labels))]
            told += [] if event.subject is None else [event.subject]
        found = next(filter(None, (self._called_by(event.source, said) for said in told)), None)
        return self._called_in_words(event) if found is None and name is None else found

    def _called_in_words(self, event: Event) -> Named | None:
        """By what this source calls one service and no other in a title: a help desk has products, and no services."""
        words = f" {' '.join(_WORDS.findall((event.title or '').casefold()[:_MOST_SAID]))} "
        known = self._spoken.get(event.source) or self._spoken.get(event.source.partition("/")[0]) or ()
        meant = {service for spoken, service in known if spoken in words}
        return (meant.pop(), f"alias of {event.source.partition('/')[0]}, in the title") if len(meant) == 1 else None

    def _called_by(self, source: str, said: str) -> Named | None:
        for told in (source, source.partition("/")[0]):
            if (service := self._sources.get((told, plain(said)))) is not None:
                return service, f"alias of {told}"
        return None

    def _joined(self, name: str) -> Named | None:
        """By the name itself."""
        if name in self._services:
            return name, "name"
        spelt = plain(name)
        if (service := self._names.get(spelt)) is not None:
            return service, "alias"
        if (service := self._spelt.get(spelt)) is not None:
            return service, "same name but for case and separators"
        if (service := self._bare.get(_bare(name))) is not None:
            return service, f"{GUESSED}: {name!r} without words such as prod or service"
        return None

    def joined(self, name: str, source: str = "") -> str:
        """The service that a bare name means, in this source if one is given, or the name as it is."""
        found = self._called_by(source, name) or self._joined(name)
        return name if found is None else found[0]

    def _by_alias(self, event: Event) -> Iterator[Named]:
        """By an alias for something else that the event says: the more particular first."""
        if not self._by and not self._workloads:
            return
        labels = event.labels
        named_here = [(f"label {label}", name) for label, name in workloads(labels)]
        if event.service is not None:  # Where a tool knows nothing else, it calls the workload or the host the service.
            named_here.append(("service", event.service))
        for where, name in named_here:
            if (service := self._workloads.get(name.casefold())) is not None:
                yield service, f"alias of a workload, {where}"
            yield from self._matching("workload", name, where)
        places = [*repositories(labels), ("service", event.service or ""), ("source", event.source.partition("/")[2])]
        for label, name in places:
            yield from self._matching("repository", name, label)
        for label, name in hosts(labels):
            yield from self._matching("host", name, f"label {label}")
        if event.service is not None:
            yield from self._matching("host", event.service, "service")
        for alias, pattern in self._by.get("label", ()):
            value = labels.get(alias.of or "")
            if value is not None and pattern.matches(value):
                yield alias.service, f"alias of label {alias.of}"
        yield from self._matching("title", event.title or "", "")
        for label, name in workloads(labels):
            if "namespace" in label:
                yield from self._matching("namespace", name, f"label {label}")

    def _matching(self, by: str, name: str, where: str) -> Iterator[Named]:
        for alias, pattern in self._by.get(by, ()):
            if name and pattern.matches(name):
                yield alias.service, f"alias of a {by}" + (f", {where}" if where else "")

    def _by_workload(self, event: Event) -> Named | None:
        """By a label that names a service of the catalogue."""
        if not self._services:
            return None
        for label, name in workloads(event.labels):
            if not is_exporter(name) and (joined := self._joined(name)) is not None:
                return joined[0], f"label {label}" + ("" if joined[1] == "name" else f", {joined[1]}")
        return None

    def is_doubtful(self, name: str) -> bool:
        """Whether there are services, and the name means none of them. A tool's own words are not looked at."""
        return bool(self._services) and self._joined(name) is None

    def nearest(self, name: str) -> str | None:
        """The service that a name may mean: without a usual suffix or prefix the same, else spelt much alike."""
        spelt = plain(name)
        for known in sorted(self._services, key=len, reverse=True):
            word = plain(known)
            longer, shorter = (spelt, word) if len(spelt) >= len(word) else (word, spelt)
            if shorter and longer != shorter and longer.startswith(shorter) and longer[len(shorter) :] in _SUFFIXES:
                return known
        by_word = {plain(known): known for known in sorted(self._services)}
        close = get_close_matches(spelt, by_word, n=1, cutoff=_ALIKE)
        if close:
            return by_word[close[0]]
        within = [known for word, known in by_word.items() if len(word) > 3 and word in spelt]
        return max(within, key=len) if within else None


class _Guesses:
    """Where the event has no name of the catalogue: its other fields may fit one service and no other."""

    def __init__(
        self,
        names: dict[str, str],
        spelt: dict[str, str],
        joined: Callable[[str], Named | None],
        only_top: str | None,
    ) -> None:
        self._names = names
        self._spelt = spelt
        self._joined = joined
        self._only_top = only_top

    def of(self, event: Event) -> Named | None:
        """A service and why it may be meant, marked as a guess."""
        name, kind = event.service, event.kind
        if not kind.startswith(_SPOKEN_OF):
            return None
        if name is None:
            is_flag = kind == "change.flag_set"
            found = (self._by_flag(event) if is_flag else None) or self._by_words(event)
            if found is None and self._only_top is not None and (is_flag or kind.startswith("incident.")):
                found = self._only_top, f"{GUESSED}: users see no other service"
            if found is None and is_flag and (whose := event.labels.get("project") or event.labels.get("flag")):
                # Turned on and off again, it is a story of its own, whoever's it is.
                found = whose, f"{GUESSED}: nobody says whose flag it is"
            return found
        if not kind.startswith("change."):
            return self._of_part(name, event)
        return self._by_pipeline(name) or self._of_part(name, event) or self._by_title(event)

    def _by_flag(self, event: Event) -> Named | None:
        """By what a flag is called, or its project: flag tools know no services. A guess."""
        flag, project = event.labels.get("flag") or "", event.labels.get("project") or ""
        words = _WORDS.findall(flag.casefold())
        for count in range(len(words), 0, -1):
            service = self._spelt.get("".join(words[:count]))
            if service is not None and telling_words(service):
                return service, f"{GUESSED}: the flag {flag!r} begins with its name"
        if project and (joined := self._joined(project)) is not None:
            return joined[0], f"{GUESSED}: the flag's project is {project!r}"
        return None

    def _by_pipeline(self, name: str) -> Named | None:
        """By the name of a job that deploys: `deploy-checkout`, `Checkout Deploy`. A guess."""
        found = _PIPELINE.fullmatch(name)
        if found is None:
            return None
        service = found[1] or found[2]
        joined = self._joined(service)
        return service if joined is None else joined[0], f"{GUESSED}: {name!r} deploys it"

    def _by_words(self, event: Event) -> Named | None:
        """By what is said of it, where that names one service and no other. A guess."""
        labels = event.labels
        told = [*hosts(labels), ("label entity", labels.get("entity")), ("label tags", labels.get("tags"))]
        told += [("title", event.title), ("text", labels.get("text")), ("thing it is about", labels.get("about"))]
        for where, said in told:
            if said and (service := self._only_named(said)) is not None:
                return service, f"{GUESSED}: the {where} names it"
        return None

    def _by_title(self, event: Event) -> Named | None:
        """By the title of a change that a tool told under a name of its own, such as a workspace. A guess."""
        service = self._only_named(event.title or "")
        return None if service is None else (service, f"{GUESSED}: the title names it")

    def _of_part(self, name: str, event: Event) -> Named | None:
        """By a name that holds the service's: a check on a host, one of its hosts, or its secret. A guess."""
        if " " in name and (service := self._only_named(name)) is not None:
            return service, f"{GUESSED}: {name!r} names it"
        if (one := _OF_SEVERAL.fullmatch(name)) and (joined := self._joined(one[1])) is not None:
            return joined[0], f"{GUESSED}: {name!r} without its number or domain"
        if event.labels.get("object_kind", _WORKLOAD) in _WORKLOADS:
            return None
        parts = name.split("-")
        wholes = ("-".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
        service = next((self._spelt[plain(whole)] for whole in wholes if plain(whole) in self._spelt), None)
        return None if service is None else (service, f"{GUESSED}: {name!r} begins with its name")

    def _only_named(self, said: str) -> str | None:
        """The one service whose name stands among these words, as one word or several; None where two do."""
        words = _WORDS.findall(said[:_MOST_SAID].casefold())
        found: set[str] = set()
        place = 0
        while place < len(words):
            for count in range(min(_MOST_WORDS, len(words) - place), 0, -1):
                spelt = "".join(words[place : place + count])
                service = self._names.get(spelt) or self._spelt.get(spelt)
                if service is not None and telling_words(service):
                    found.add(service)
                    break
            else:
                count = 1
            place += count
        return found.pop() if len(found) == 1 else None


def _by_host(event: Event) -> Named | None:
    """By the machine that an alert or a change is about, where nobody knows whose it is. A guess."""
    if not event.kind.startswith(("alert.", "change.", "note.")):
        return None
    labels, name = event.labels, event.service
    host = labels.get("object") if labels.get("object_kind") == "Node" else labels.get("host") or labels.get("hostname")
    if host and (name is None or name.endswith(f" on {host}")):
        return host, f"{GUESSED}: nobody says whose host it is"
    return None


@lru_cache(maxsize=16_384)
def _bare(name: str) -> str:
    """A name without separators and without the words that tools put beside it."""
    return "".join(word for word in _WORDS.findall(name.casefold()) if word not in _BESIDE)


@lru_cache(maxsize=4096)
def telling_words(name: str) -> frozenset[str]:
    """The words of a name that tell one service from another."""
    return frozenset(word for word in _WORDS.findall(name.casefold()) if len(word) > 2 and word not in _COMMON)


def resemble(one: str, other: str) -> bool:
    """Whether two names may mean one service: they are the same but for separators, or share a telling word."""
    return _bare(one) == _bare(other) or not telling_words(one).isdisjoint(telling_words(other))


@lru_cache(maxsize=4096)
def lookalikes(name: str, services: frozenset[str]) -> frozenset[str]:
    """The services that a name may mean. Asked often: each draft asks for each unknown name."""
    return frozenset(service for service in services if resemble(name, service))
