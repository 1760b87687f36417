"""Turns a template and its values into an HTML answer: the Jinja2 environment, its filters, and the problem page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.durations import say_duration
from monitor.core.model.events import Event, to_text
from monitor.core.model.near_miss import Dismissal, Draft, State, Verdict
from monitor.core.model.reasons import Withdrawn
from monitor.core.model.risk import propose_barrier
from monitor.core.state.still_open import left_open
from monitor.ops.source_report import lag_words
from monitor.ports import ActivePack, Record
from monitor.review import wording as words
from monitor.review.hints import HINTS
from monitor.review.likelihood import completeness, likely
from monitor.review.links import shown, web_address
from monitor.review.measures import gauge, to_action
from monitor.review.mentions import parts
from monitor.review.problems import Problem
from monitor.review.sentences import happened
from monitor.review.shortcuts import DISMISSAL_KEYS, keys_of

HERE = Path(__file__).parent
STATIC = HERE / "static"

_SHOWN_LABELS = 12
_IMPACT_REASONS: frozenset[str | None] = frozenset(
    {
        Dismissal.HAD_USER_IMPACT,
        Withdrawn.IMPACT_IN_WINDOW,
        Withdrawn.IMPACT_AFTERWARDS,
        Withdrawn.IMPACT_TIED,
        Withdrawn.IMPACT_IN_CHAIN,
    }
)


class Pages:
    """Renders the templates of this package."""

    def __init__(
        self,
        active_pack: Callable[[], ActivePack] | None = None,
        catalogue: Callable[[], Catalogue] = Catalogue,
        hints: Mapping[str, str] = HINTS,
    ) -> None:
        """`active_pack` tells what the foot of each page says; `catalogue` whose a draft is.

        `hints` says what to write instead of phrases that blame.
        """
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(("html", "svg")),
            undefined=StrictUndefined,
            finalize=_finalized,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            age=words.age,
            moment=words.moment,
            clock=words.clock,
            day=words.day,
            duration=say_duration,
            lag=lag_words,
            missing=words.missing,
            reason=words.reason,
            actor=words.actor,
            kind=words.kind,
            measured=words.measured,
            happened=happened,
            rfc3339=to_text,
            safe_url=web_address,
            labels=shown_labels,
            close=how_close,
            close_beside=close_beside,
            to_action=to_action,
            gauge=gauge,
            calling=parts,
            environments=environments,
            likely=likely,
            completeness=completeness,
            standing=standing_verdict,
            contradiction=contradiction,
            proposed_barrier=propose_barrier,
            left_open=lambda record: left_open(cited.event for cited in record.evidence),
            owner=lambda record: owner(record, catalogue()),
        )
        self._environment.globals.update(
            VERDICTS=words.VERDICTS,
            VERDICT_SENTENCES=words.VERDICT_SENTENCES,
            STATES=words.STATES,
            FAMILIES=words.FAMILIES,
            ROLES=words.ROLES,
            ACTIONS=words.ACTIONS,
            OUTCOMES=words.OUTCOMES,
            BARRIERS=words.BARRIERS,
            SHARES=words.SHARES,
            DISMISSALS=[(str(reason), *said, DISMISSAL_KEYS[reason]) for reason, said in words.DISMISSALS.items()],
            keys_of=keys_of,
            UNDECIDED_STATES=("draft", "in_review", "reopened"),
            State=State,
            asset=asset,
            active_pack=active_pack,
            hints_json=json.dumps(dict(hints), ensure_ascii=False),
        )

    def compile(self) -> None:
        """Read and compile every template, which else the first who looks at a page would wait for."""
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def render(self, request: Request, template: str, context: Mapping[str, object], status: int = 200) -> HTMLResponse:
        person = request.scope.get("state", {}).get("person")
        return HTMLResponse(
            self._environment.get_template(template).render(person=person, **context),
            status,
            # One address gives a whole page or a part of it.
            headers={"vary": "HX-Request"},
        )

    async def render_problem(self, request: Request, problem: Problem) -> Response:
        answer = self.render(request, "problem.html", {"problem": problem, "back": _form_of(request)}, problem.status)
        if problem.status == 503:
            answer.headers.update(problem.response().headers)
            answer.headers["content-type"] = "text/html; charset=utf-8"
            answer.headers["content-length"] = str(len(answer.body))
        return answer


def _finalized(value: object) -> object:
    """Each value before it is escaped: what tools and people wrote neither turns nor hides what it says."""
    return shown(value) if type(value) is str else value


def _form_of(request: Request) -> str | None:
    """The page of the form that was sent; the browser kept what was typed there."""
    return request.url.path if request.method == "POST" else None


def asset(name: str, _cache: dict[str, str] = {}) -> str:  # noqa: B006 - one cache for the life of the program
    """The address of a static file, with a mark of its content, so that a new version is fetched at once."""
    if name not in _cache:
        digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
        _cache[name] = f"/static/{name}?v={digest}"
    return _cache[name]


def shown_labels(event: Event) -> list[tuple[str, str]]:
    """Without those that usually name a person."""
    named = sorted(event.labels.items())
    return [(name, value) for name, value in named if not words.names_person(name)][:_SHOWN_LABELS]


def how_close(draft: Draft) -> str:
    """The margin in a few words. Time that passed is said shortly, and also where no rule measured anything else."""
    if draft.margin is not None and draft.margin.text and draft.margin.measure != "elapsed":
        return draft.margin.text
    begins, ends = to_action(draft)
    return f"{say_duration(ends - begins)} to action"


def close_beside(draft: Draft) -> str:
    """How close it was, for beside the title; empty where the title says it already."""
    said = how_close(draft)
    begins, ends = to_action(draft)
    words = said if draft.margin is not None and said == draft.margin.text else say_duration(ends - begins)
    # A number of which this is the end is another one.
    return "" if re.search(rf"(?<![\w.]){re.escape(words)}(?!\w)", draft.title) else said


def owner(record: Record, catalogue: Catalogue) -> str | None:
    """The team that has it: to whom it was handed over, else who owns the service; None where nobody is known."""
    service = catalogue.services.get(record.draft.service or "")
    return record.handling.team or (service.owner if service is not None else None)


def environments(draft: Draft) -> str:
    """Each environment that its hazards and actions name, in their order; the draft's own where they name none."""
    told = [cited.event.environment for cited in draft.evidence if cited.role in ("hazard", "intervention")]
    return ", ".join(dict.fromkeys(each for each in told if each)) or draft.environment or "environment unknown"


def standing_verdict(record: Record) -> Verdict:
    """The verdict as it stands: what was learnt after the draft had opened counts, from machines and from people."""
    reasons = (record.reason, record.contradicted)
    if record.answers.users_hit or any(reason in _IMPACT_REASONS for reason in reasons):
        return "users"
    return record.draft.verdict


def contradiction(record: Record) -> str | None:
    """What speaks against the decision. Impact is no news where the decision was that users had been hit."""
    return None if record.reason == Dismissal.HAD_USER_IMPACT else record.contradicted
