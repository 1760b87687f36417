"""Fills a rule's title template from the events, as a headline that still reads when values are missing.

Pure text. People appear by the part they played, never by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from monitor.core.model.conditions import EVENT_FIELDS, read
from monitor.core.model.durations import say_duration
from monitor.core.model.events import SECOND, Event, to_text
from monitor.core.model.near_miss import Margin

PLACEHOLDER = re.compile(r"\{([a-z_.]+)\}")
TITLE_FIELDS: frozenset[str] = frozenset(
    {"what", "service", "elapsed", "margin"}
    | {
        f"{part}.{field}"
        for part in ("hazard", "intervention")
        for field in (*EVENT_FIELDS, "kind_words", "kind_noun", "who")
    }
)
"""What a title may name between braces; labels too, as `hazard.labels.…`."""
DASH = " – "
"""Separates the parts of a headline. A part after the first that lacks a value is left out."""
SHORTEST_HASH = 12
LONGEST_WHAT = 90
"""Characters of a tool's own title that a headline shows; the page shows all of it."""

KIND_WORDS: dict[str, str] = {
    "change.deployed": "deployed",
    "change.rolled_back": "rolled back",
    "change.configured": "reconfigured",
    "change.flag_set": "flag set",
    "change.scaled": "scaled",
    "change.restarted": "restarted",
    "change.failed_over": "failed over",
    "change.deleted": "deleted",
    "change.restored": "restored",
    "change.rotated": "rotated",
    "change.ran": "command run",
    "change.held": "held",
    "change.blocked": "blocked",
    "alert.silenced": "silenced",
}

KIND_NOUNS: dict[str, str] = {
    "change.deployed": "a deploy",
    "change.rolled_back": "a rollback",
    "change.configured": "a config change",
    "change.flag_set": "a flag change",
    "change.scaled": "a scaling change",
    "change.restarted": "a restart",
    "change.failed_over": "a failover",
    "change.deleted": "a deletion",
    "change.restored": "a restore",
    "change.rotated": "a rotation",
    "change.ran": "a command",
    "change.merged": "a merge",
    "change.started": "a change in progress",
    "change.failed": "a failed change",
    "change.held": "a hold",
    "change.blocked": "a blocked change",
    "incident.opened": "an incident",
    "incident.updated": "an incident update",
    "incident.closed": "closing the incident",
    "note.added": "a report",
    "alert.resolved": "a recovery",
    "alert.silenced": "a silenced alert",
}


def kind_words(event: Event) -> str:
    return KIND_WORDS.get(event.kind, event.kind.replace(".", " ").replace("_", " "))


def kind_noun(event: Event) -> str:
    """What sort of event it is, with its article: "a rollback"."""
    group = event.kind.partition(".")[0]
    return KIND_NOUNS.get(event.kind, {"alert": "an alert", "change": "a change"}.get(group, "an event"))


def who(event: Event) -> str:
    """The role of the person who acted, never a name."""
    if event.actor is None or event.actor.kind == "unknown":
        return "someone"
    if event.actor.kind == "automation":
        return "automation"
    if event.actor.on_call is None:
        return "a person"
    return "the person on call" if event.actor.on_call else "a person off rotation"


def say_number(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) and abs(number) < 1e15 else f"{number:.4g}"


def render_title(template: str, service: str | None, hazard: Event, action: Event, margin: Margin | None) -> str:
    """The template with its placeholders filled in; a part between dashes that lacks a value is left out."""

    def value_of(name: str) -> str | None:
        if name == "what":
            return _what(service, hazard)
        if name == "service":
            return service
        if name == "elapsed":
            elapsed = action.time - hazard.time
            return say_duration(elapsed) if abs(elapsed) >= SECOND else "less than a second"
        if name == "margin":
            return margin.text if margin is not None else None
        part, _, field = name.partition(".")
        event = hazard if part == "hazard" else action
        if field == "title":
            return _own_words(event)
        return _field(event, field)

    parts = template.split(DASH)
    shown = [filled for filled in (_fill(part, value_of) for part in parts[1:]) if filled]
    title = DASH.join([_fill(parts[0], value_of, instead=_INSTEAD) or "", *shown])
    return title if service and title.startswith(service) else title[:1].upper() + title[1:]


_INSTEAD = {"service": "an unnamed service", "margin": "an unknown margin"}


def _fill(part: str, value_of: Callable[[str], str | None], *, instead: Mapping[str, str] | None = None) -> str | None:
    """One part of a headline; None where a value is missing and nothing may stand in for it."""
    values = {name: value_of(name) for name in PLACEHOLDER.findall(part)}
    if instead is None and None in values.values():
        return None
    return PLACEHOLDER.sub(lambda found: values[found[1]] or (instead or {}).get(found[1], "something"), part)


def _field(event: Event, field: str) -> str | None:
    if field == "kind_words":
        return kind_words(event)
    if field == "kind_noun":
        return kind_noun(event)
    if field == "who":
        return who(event)
    value = read(field, event, {})
    if field == "subject" and event.kind == "change.flag_set":
        value = event.labels.get("flag") or value
    if field.endswith("_at") and isinstance(value, int):
        return to_text(value)
    if isinstance(value, float):
        return say_number(value)
    return (for_people(str(value)) or None) if value is not None else None


_ANNOUNCES = re.compile(
    r"(?:I am|I'm|I’m|We are|We're|We’re) (?:declaring|opening) an incident (?:because|as|since|for|:)\s+",
    re.IGNORECASE,
)
"""What people say before the matter itself."""
_TAGS = re.compile(
    r"(?:\[(?:P[0-5]|SEV[-_ ]?\d|firing(?::\d+)?|resolved|(?:re-?)?triggered|recovered|alert(?:ing)?|alarm|problem"
    r"|warn(?:ing)?|critical|high|error|info|no data|ok|datadog|grafana|prometheus|sentry|new ?relic|pagerduty"
    r"|opsgenie|zabbix)\]\s*)+",
    re.IGNORECASE,
)
"""What tools put before a title: how grave, which state, and who says so."""


# Bounded: what may stand before a hash is tried at each character, and long runs of it would take the cube of the time.
_MACHINE_MADE = re.compile(
    r"\s{0,2}[@:#=(\[-]{0,4}\s{0,2}(?:sha-?(?:1|256|512)[:-])?(?<![0-9a-z])"
    r"(?:(?:i|ami|eni|igw|nat|rtb|sg|snap|subnet|vol|vpc)-)?"
    r"(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{12,}|[0-9]{16,})"
    r"(?![0-9a-z])[)\]]*",
    re.IGNORECASE,
)
"""Fingerprints, hashes, and ids by which tools tell things apart: nobody knows a thing by them."""


def for_people(words: str) -> str:
    """The words without hashes and ids that only machines use; the page shows them with the evidence."""
    # Short texts hold none, and most texts are short.
    return _MACHINE_MADE.sub("", words).strip(" :,;-") if len(words) >= SHORTEST_HASH else words


def _own_words(event: Event) -> str:
    """The title that the tool gave, at most one line of it; where it gave none, the sort of event and its subject."""
    words = for_people(" ".join((event.title or "").split()).rstrip("."))
    for before in (_TAGS, _ANNOUNCES):
        words = (words[said.end() :] if (said := before.match(words)) else words) or words
    if event.kind == "alert.silenced":
        # The alert is what is spoken of; that it was put to sleep the rest of the headline says.
        words = words.removeprefix("silenced: ")
    if not words:
        noun = kind_noun(event)
        subject = for_people(event.subject or "")
        return f"{noun} on {subject}" if subject else noun
    if len(words) <= LONGEST_WHAT:
        return words
    sentence = words.split(". ", 1)[0]
    if len(sentence) <= LONGEST_WHAT:
        return sentence
    return sentence[:LONGEST_WHAT].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def _what(service: str | None, hazard: Event) -> str:
    """Service and hazard: "checkout: error rate high"; the service once where the title names it already."""
    words = _own_words(hazard)
    if service is None or service.lower() in words.lower():
        return words
    return f"{service}: {words}"
