"""A record as a document for readers and machines: whole, or as the public may see it. The schema is in the docs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import Field

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import SECOND, Instant, to_text
from monitor.core.model.near_miss import Draft
from monitor.ports import Audit, Record
from monitor.review import wording as words
from monitor.review.exports.redaction import Redactor
from monitor.review.likelihood import likely
from monitor.review.rendering import standing_verdict
from monitor.review.schemas import Margin, RiskOut, Shape
from monitor.review.sentences import happened

FORMAT: Literal["nearmiss-record/1"] = "nearmiss-record/1"
Version = Literal["internal", "public"]


class Happened(Shape):
    at: str = Field(description="RFC 3339, UTC.")
    role: str = Field(description="hazard, intervention, recovery, impact, context or maintenance.")
    what: str = Field(description="A sentence; people appear by role.")
    title: str | None = Field(description="The words of the tool.")
    service: str | None
    environment: str | None


class Said(Shape):
    at: str
    by: str = Field(description="A role, or `machine`.")
    did: str
    note: str | None


class RecordDocument(Shape):
    """One near miss. People appear by role only; in the public version placeholders stand for what was taken out."""

    format: Literal["nearmiss-record/1"]
    version: Version
    id: str
    title: str
    state: str
    reason: str | None = Field(description="Why it was dismissed or withdrawn, in words.")
    verdict: str = Field(description="Whether users were hit, as it stands: none, users or unknown.")
    family: str
    kind: str
    services: list[str]
    environment: str | None
    first_sign_at: str
    seconds_to_notice: float | None
    seconds_to_action: float
    seconds_to_safe: float
    margin: Margin | None = Field(description="How close it came.")
    risk: RiskOut | None = Field(description="What people answered to the two questions on the risk.")
    likelihood: str = Field(description="How likely an act averted harm, in words; empty where nothing was weighed.")
    speaks_for: list[str]
    speaks_against: list[str]
    not_checked: list[str] = Field(description="What could not be checked, in sentences.")
    why_near_miss: str
    what_saved_it: str
    what_next_time: str
    open_condition: str | None
    timeline: list[Happened]
    trail: list[Said] = Field(description="Empty in the public version: comments are for the team.")
    removed: dict[str, int] = Field(description="How many different names of each sort were taken out.")


def build_document(record: Record, trail: Sequence[Audit], version: Version, redactor: Redactor) -> RecordDocument:
    """`redactor` is asked about every text of the public version, and about none of the internal one."""
    draft, risk = record.draft, record.handling.risk
    is_public = version == "public"

    def text(given: str) -> str:
        return redactor.text(given) if is_public else given

    def service(name: str) -> str:
        return (redactor.service(name) or name) if is_public else name

    weighed = likely(draft)
    timeline = [
        Happened(
            at=str(to_text(cited.event.time)),
            role=cited.role,
            what=happened(cited.event),
            title=None if cited.event.title is None else text(cited.event.title),
            service=None if cited.event.service is None else service(cited.event.service),
            environment=cited.event.environment,
        )
        for cited in record.evidence
    ]
    document = RecordDocument(
        format=FORMAT,
        version=version,
        id=draft.id,
        title=text(draft.title),
        state=str(record.state),
        reason=words.reason(record.reason) or None,
        verdict=standing_verdict(record),
        family=draft.family,
        kind=draft.kind,
        services=[service(name) for name in draft.services or filter(None, (draft.service,))],
        environment=draft.environment,
        first_sign_at=str(to_text(draft.first_sign_at)),
        seconds_to_notice=_seconds(draft, draft.noticed_at),
        seconds_to_action=_seconds(draft, draft.intervened_at) or 0.0,
        seconds_to_safe=_seconds(draft, draft.safe_at) or 0.0,
        margin=_margin(draft, text),
        risk=None if risk is None else RiskOut(outcome=risk.outcome, barrier=risk.barrier, index=risk.index),
        likelihood=weighed.heading if weighed.word else "",
        speaks_for=[text(each) for each in weighed.in_favour],
        speaks_against=[text(each) for each in weighed.against],
        not_checked=[text(words.missing(name)) for name in draft.missing_evidence],
        why_near_miss=text(record.answers.why_near_miss),
        what_saved_it=text(record.answers.what_saved_it),
        what_next_time=text(record.answers.what_next_time),
        open_condition=None if record.handling.open_condition is None else text(record.handling.open_condition),
        timeline=timeline,
        trail=[] if is_public else [_said(line) for line in trail],
        removed={},
    )
    counts: dict[str, int] = {}
    for removed in redactor.removed if is_public else ():
        counts[removed.what] = counts.get(removed.what, 0) + 1
    return document.model_copy(update={"removed": counts})


def people_of(record: Record, catalogue: Catalogue) -> set[str]:
    """Every id and name by which tools or the catalogue know a person of this record."""
    found: set[str] = {name for each in catalogue.people for name in (each.person, each.id)}
    for cited in (*record.draft.evidence, *record.evidence):
        actor = cited.event.actor
        if actor is not None and actor.kind != "automation" and actor.id:
            found.add(actor.id)
        found.update(value for label, value in cited.event.labels.items() if words.names_person(label) and value)
    return found


def services_of(record: Record) -> list[str]:
    """Every service that the record names, in no order of importance."""
    draft = record.draft
    told: Iterable[str | None] = (
        draft.service,
        *draft.services,
        *(each.event.service for each in (*draft.evidence, *record.evidence)),
    )
    return sorted({name for name in told if name})


def _said(line: Audit) -> Said:
    did = words.ACTIONS.get(line.action, line.action.replace("_", " "))
    return Said(at=str(to_text(line.at)), by=line.by, did=did, note=line.note)


def _seconds(draft: Draft, at: Instant | None) -> float | None:
    return None if at is None else (at - draft.first_sign_at) / SECOND


def _margin(draft: Draft, text: Any) -> Margin | None:
    margin = draft.margin
    if margin is None:
        return None
    return Margin(
        measure=margin.measure, value=margin.value, unit=margin.unit, text=text(margin.text), limit=margin.limit
    )
