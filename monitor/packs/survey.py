"""What rules and catalogue come to when they run together: the numbers worth a look, and what will be regretted.

Decides what is odd although every file by itself is right; must not know how it is printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from monitor.core.deciding.impact import PERSON_EVIDENCE, PUBLIC_EVIDENCE
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import fields_of
from monitor.core.model.events import DAY
from monitor.core.model.rule import Rule
from monitor.core.resolving.names import Names
from monitor.located.checks import Check
from monitor.located.form import say_duration
from monitor.located.problems import Place, Problem, Problems, listed, meant, nearest
from monitor.packs.advice.lint import reaches_back
from monitor.packs.language.silences import without_silenced
from monitor.packs.pack import LoadedPack

MOST_NAMES = 8
"""Names that one line lists; the rest is counted."""
NOT_YET_OR_NO_MORE = frozenset({"experimental", "development", "deprecated", "retired"})
"""Lifecycles in which nobody expects a feed to watch."""
EVIDENCE = frozenset({"synthetic", "slo", "audit_log"}) | PERSON_EVIDENCE | PUBLIC_EVIDENCE
"""What feeds may give though no rule asks for it by name."""
HOURS = '`hours: {zone: Europe/Berlin, opens: "08:00", closes: "18:00"}`'
_BY_THE_CLOCK = frozenset({"derived.off_hours", "derived.opens_at"})


class RuleSurvey(msgspec.Struct, frozen=True):
    """The rules in numbers; `by_mode` and `by_family` count them."""

    count: int
    files: int
    by_mode: dict[str, int]
    by_family: dict[str, int]
    content_hash: str


class CatalogueSurvey(msgspec.Struct, frozen=True):
    """The catalogue in numbers and names; every list is in the order of the alphabet."""

    services: int
    files: int
    left_out: int
    user_facing: tuple[str, ...]
    domains: tuple[str, ...]
    owners: tuple[str, ...]
    by_lifecycle: dict[str, int]
    production: tuple[str, ...]
    automation: tuple[str, ...]
    feeds: int
    feeds_without_freshness: tuple[str, ...]
    user_facing_without_feed: tuple[str, ...]
    without_owner: tuple[str, ...]
    no_path_to_users: tuple[str, ...]
    content_hash: str


class PackSurvey(msgspec.Struct, frozen=True):
    rules: RuleSurvey
    catalogue: CatalogueSurvey
    warnings: tuple[Problem, ...]


def survey(
    loaded: LoadedPack, history: int | None = None, pulled: Iterable[tuple[str, str]] = (), settings: str = "settings"
) -> PackSurvey:
    """Of a pack without errors; with errors the numbers tell what was readable.

    `history`: how long the service keeps events that it has decided by (microseconds); None: for ever. `pulled`: the
    services that the feeds of the file `settings` watch, and the evidence that they give.
    """
    rules, catalogue = loaded.rules.rules, loaded.catalogue.catalogue
    counted = RuleSurvey(
        count=len(rules),
        files=loaded.rules.files,
        by_mode=_counts(rule.mode for rule in rules),
        by_family=_counts(rule.family for rule in rules),
        content_hash=loaded.rules.content_hash,
    )
    known = _catalogue(loaded)
    problems = Problems()
    if not loaded.errors:
        _warn(loaded, known, problems)
        pulled = sorted({*pulled})
        _warn_of_feeds(catalogue, {name for name, _ in pulled}, Place(settings), problems)
        given = [(feed.service, feed.evidence, place) for feed, place in loaded.catalogue.feed_places.items()]
        given += [(name, evidence, Place(settings)) for name, evidence in pulled]
        _warn_of_evidence(rules, given, problems)
        if history is not None:
            _warn_of_history(loaded, history, problems)
        if not catalogue.is_empty:
            _warn_of_rules(rules, catalogue, _file(loaded), problems)
    return PackSurvey(counted, known, without_silenced(problems, loaded.rules.silences, ()))


def _catalogue(loaded: LoadedPack) -> CatalogueSurvey:
    catalogue = loaded.catalogue.catalogue
    services = [catalogue.services[name] for name in sorted(catalogue.services)]
    watched = {feed.service for feed in catalogue.feeds}
    vague = {f"{feed.service} ({feed.source or 'any source'})" for feed in catalogue.feeds if feed.freshness is None}
    return CatalogueSurvey(
        services=len(services),
        files=loaded.catalogue.files,
        left_out=loaded.catalogue.left_out,
        user_facing=tuple(service.name for service in services if service.user_facing),
        domains=tuple(sorted({catalogue.domain_of(service.name) for service in services})),
        owners=tuple(sorted({service.owner for service in services if service.owner is not None})),
        by_lifecycle=_counts(service.lifecycle or "not said" for service in services),
        production=tuple(sorted(catalogue.production)),
        automation=tuple(sorted(catalogue.automation)),
        feeds=len(catalogue.feeds),
        feeds_without_freshness=tuple(sorted(vague)),
        user_facing_without_feed=tuple(
            service.name
            for service in services
            if service.user_facing and service.name not in watched and service.lifecycle not in NOT_YET_OR_NO_MORE
        ),
        without_owner=tuple(service.name for service in services if service.owner is None),
        no_path_to_users=tuple(service.name for service in services if service.name not in catalogue.serving_users),
        content_hash=loaded.catalogue.content_hash,
    )


def _warn(loaded: LoadedPack, known: CatalogueSurvey, problems: Problems) -> None:
    places = loaded.catalogue.places
    if not known.services:
        message = "no catalogue: every service counts as user-facing, without dependencies"
        problems.warning(Check.NO_CATALOGUE, Place("catalogue"), message, "a file of services", "--catalogue FILE")
        return
    for name in known.user_facing_without_feed:
        message = f"no feed watches {name!r}, which users see: its drafts will say that impact is unverified"
        problems.warning(
            Check.NOT_WATCHED, places[name], message, "a feed that reports `impact.clear`", _feed(name, "synthetic")
        )
    if known.without_owner:
        place = places[known.without_owner[0]]
        message = f"{len(known.without_owner)} of {known.services} services have no owner: {few(known.without_owner)}"
        problems.warning(Check.NO_OWNER, place, message, "the team that reviews their drafts", "`owner: team-pay`")
    if not known.production:
        message = "no production environment is named, so every environment counts"
        problems.warning(
            Check.NO_PRODUCTION,
            Place(next(iter(places.values())).file),
            message,
            "the environments with users",
            "`production: [production]`",
        )


def _warn_of_feeds(catalogue: Catalogue, pulled: Iterable[str], place: Place, problems: Problems) -> None:
    names = Names(catalogue)
    for name in sorted({*pulled}) if catalogue.services else ():
        if not catalogue.knows(names.joined(name)):
            close = nearest(name, catalogue.services)
            message = f"a feed is pulled for {name!r}, which is not in the catalogue: no verdict will rest on it"
            hint = repr(close) if close else f"an entry `{name}: {{}}`"
            problems.warning(Check.UNKNOWN_SERVICE, place, message, "a service that is listed", hint)


def _warn_of_evidence(
    rules: Iterable[Rule], given: Iterable[tuple[str, str | None, Place]], problems: Problems
) -> None:
    """Feeds whose evidence has a name that nothing asks for: most often it is misspelt."""
    known = EVIDENCE.union(*(rule.impact.evidence for rule in rules))
    for service, evidence, place in given:
        if evidence and evidence not in known:
            message = f"no rule asks for the evidence {evidence!r}, which a feed of {service!r} gives"
            hint = meant(evidence, known, "`evidence: synthetic`")
            problems.warning(Check.UNKNOWN_EVIDENCE, place, message, listed(known), hint)


_USUAL_SOURCES = {"synthetic": "blackbox", "slo": "sloth", "status_post": "statuspage"}


def _feed(service: str, evidence: str) -> str:
    """An entry that would be right, for a hint."""
    source = _USUAL_SOURCES.get(evidence, evidence.replace("_", "-"))
    return f"`feeds: [{{service: {service}, source: {source}, evidence: {evidence}}}]`"


def _file(loaded: LoadedPack) -> Place:
    """The first file of the catalogue."""
    return Place(min(place.file for place in loaded.catalogue.places.values()))


def _warn_of_rules(rules: Iterable[Rule], catalogue: Catalogue, place: Place, problems: Problems) -> None:
    """Rules that cannot come to their full effect, since the catalogue does not say what they ask for."""
    evidence = {feed.evidence for feed in catalogue.feeds}
    blind = [rule for rule in rules if rule.impact.evidence and not rule.impact.evidence & evidence]
    if catalogue.feeds and None not in evidence and blind:
        names = few([f"{rule.name} ({' or '.join(sorted(rule.impact.evidence))})" for rule in blind])
        message = f"no feed can see the harm of these rules, so that their verdict will be unknown: {names}"
        seen_by = min(catalogue.services)
        problems.warning(
            Check.NO_FEED_SEES,
            place,
            message,
            "a feed with that evidence",
            _feed(seen_by, min(blind[0].impact.evidence)),
        )
    timed = [rule.name for rule in rules if _reads(rule) & _BY_THE_CLOCK]
    if timed and not any(service.hours is not None for service in catalogue.services.values()):
        message = f"no service declares operating hours, which these rules ask for: {few(timed)}"
        problems.warning(Check.NO_HOURS, place, message, "`hours:` of the services that open and close", HOURS)


def _warn_of_history(loaded: LoadedPack, history: int, problems: Problems) -> None:
    """Rules that decide by events which the history no longer has when somebody asks why."""
    for rule in loaded.rules.rules:
        back = max([rule.intervention.within, *(reaches_back(rule, clause) for clause in rule.clauses)])
        if back > history:
            needed = say_duration(-(-back // DAY) * DAY)
            message = (
                f"{rule.name!r} looks {needed} back and the history keeps {say_duration(history)}: `rules explain "
                "--database` and `rules backtest --database` will not see all that it decides by"
            )
            hint = f"`retention: {{events: {needed}}}`"
            problems.warning(
                Check.SHORT_HISTORY, loaded.rules.places[rule.name], message, "a history as long as its windows", hint
            )


def _reads(rule: Rule) -> frozenset[str]:
    steps = (rule.hazard, rule.intervention.step, *(clause.step for clause in rule.clauses))
    return frozenset().union(*(fields_of(step.where) for step in steps))


def _counts(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def few(names: Collection[str]) -> str:
    """Some names for a line, and how many more there are."""
    shown = list(names)[:MOST_NAMES]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
