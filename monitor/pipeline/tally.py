"""Counts and logs what the engine decided, once it is committed.

Knows decisions and metrics; changes nothing. Logs identifiers only, never what an event said.
"""

from __future__ import annotations

from collections import Counter

from monitor.core.model.decisions import Amend, Decision, Evicted, Ignore, Late, Merge, Open, Withdraw
from monitor.core.model.reasons import Rejected
from monitor.ops.logs import get_logger, is_detailed
from monitor.ops.sampling import Sampler
from monitor.pipeline.metrics import PipelineMetrics
from monitor.ports import Commit

_log = get_logger("engine")
_LOGGED_IN_DETAIL = (Amend, Ignore, Late)


class Tally:
    """Turns commits into numbers and log lines."""

    def __init__(self, metrics: PipelineMetrics, sampler: Sampler) -> None:
        self._metrics = metrics
        self._sampler = sampler

    def count(self, commit: Commit, events: int, contradicted: int) -> None:
        self._metrics.events_processed.inc(events)
        self._metrics.contradictions.inc(contradicted)
        for reject in commit.rejects:
            self._metrics.events_rejected.inc(Rejected(reject.reason))
        for reason, number in Counter(each.reason for each in commit.decisions if isinstance(each, Ignore)).items():
            self._metrics.not_opened.inc(reason, number)
        if late := sum(isinstance(each, Late) for each in commit.decisions):
            self._metrics.late_events.inc(late)
        in_detail = is_detailed()
        for decision in commit.decisions:
            # By far the most: thousands in one commit, and others wait while they are looked at.
            if in_detail or not isinstance(decision, _LOGGED_IN_DETAIL):
                self._one(decision)

    def _one(self, decision: Decision) -> None:
        match decision:
            case Open(draft):
                # The first rule named it; the others are listed in the draft and would count one event twice here.
                self._metrics.drafts_opened.inc(draft.rules[0])
                facts = {"rules": draft.rules, "service": draft.service, "verdict": draft.verdict}
                _log.info("draft_opened", draft=draft.id, **facts)
            case Withdraw(draft_id, reason):
                self._metrics.drafts_withdrawn.inc(reason)
                _log.info("draft_withdrawn", draft=draft_id, reason=str(reason))
            case Merge(draft_id, into):
                _log.info("draft_merged", draft=draft_id, into=into)
            case Amend(draft):
                _log.debug("draft_amended", draft=draft.id)
            case Ignore(reason):
                _log.debug("not_opened", reason=str(reason), rules=decision.rules, service=decision.service)
            case Evicted(_, kind, count):
                self._metrics.evicted.inc(kind, count)
                if (unlogged := self._sampler.take(f"evicted/{kind}")) is not None:
                    _log.warning("state_evicted", kind=str(kind), count=count, unlogged=unlogged)
            case Late(event):
                _log.debug("late_event", source=event.source, event_id=event.id, behind_seconds=decision.behind / 1e6)
