"""The judgement of an episode once its window has ended: a draft, or a named reason why not; and what becomes of it.

Judges the union of an episode's candidates, never one rule alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.deciding.clauses import clause_unmet, say_met
from monitor.core.deciding.correlator import Correlator
from monitor.core.deciding.draft_fields import cite, doubts_of, subject_keys
from monitor.core.deciding.draft_writer import Judged, Writer, services_of
from monitor.core.deciding.impact import (
    Span,
    Window,
    counts_until,
    coverage,
    impact_spans,
    incident_spans,
    incidents,
    maintenance_covers,
)
from monitor.core.deciding.long_after import contradictions
from monitor.core.deciding.reach import reach_of
from monitor.core.deciding.rescue import Rescue, say_improbable, weigh
from monitor.core.deciding.safe_window import (
    Safe,
    danger_since,
    find_safe,
    harmless_for,
    is_report,
    latest_safe,
    window_end,
)
from monitor.core.deciding.same_event import same_event
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Amend, Decision, Ignore, Open, Withdraw
from monitor.core.model.events import Event, EventId, Instant
from monitor.core.model.near_miss import Draft, Verdict
from monitor.core.model.reasons import Missing, NotOpened, Withdrawn
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.rule import Rule
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.alerts import ALERT_STATES
from monitor.core.state.candidates import Instance
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode
from monitor.core.weighing.net import Net
from monitor.core.weighing.shapes import rule_named

MOST_TIMES = 40
"""Times of actions that an episode keeps, for what follows from it."""
MODE_ORDER = {"live": 0, "digest": 1, "shadow": 2}


class Refused(Exception):
    """An episode, or a candidate of it, gives no draft: the reason and the words."""

    def __init__(self, reason: NotOpened, detail: str, evidence: Sequence[Event] = ()) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.evidence = tuple(evidence)


class Judge:
    def __init__(
        self,
        state: EngineState,
        matcher: Matcher,
        catalogue: Catalogue,
        correlator: Correlator,
        out: list[Decision],
        net: Net | None = None,
    ) -> None:
        self.state = state
        self.matcher = matcher
        self.catalogue = catalogue
        self.correlator = correlator
        self.out = out
        self._net = net
        self._writer = Writer(state, matcher)

    # -- when to look ------------------------------------------------------------------------------------------

    def wake(self, episode: Episode, now: int, looked_until: int | None) -> None:
        """Judge if the window has ended by `now`, else come back when it will have.

        `looked_until`: where the stream ended, or None.
        """
        episode.wake_at = None
        self.state.touch_episode(episode)
        if episode.closed:
            return
        instances, rules = self._parts(episode)
        if not instances:
            self._close(episode)
            return
        times = sorted({int(e.time) for i in instances for e in i.interventions.events})
        episode.action_times = times if len(times) <= MOST_TIMES else [*times[: MOST_TIMES - 1], times[-1]]
        if not episode.outcome:
            self._follow_alerts(episode, instances, now)
        safe = self._safe(episode, instances, rules, now)
        episode.safe_at = safe.at
        harm_from = episode.first_sign_at + harmless_for(instances, rules)
        episode.window_from = harm_from - POLICY.before_first_sign
        if (began := danger_since(instances, rules)) is not None:
            episode.window_from = min(episode.window_from, began)
        episode.window_to = window_end(episode, safe.at, rules, instances)
        if episode.window_to > now:
            episode.wake_at = episode.window_to
            self.state.set_timer(episode.window_to, "wake", episode.id)
            return
        if not episode.withdrawn:
            self._judge(episode, instances, safe, now, looked_until)
        self._plan_close(episode, min(safe.at + POLICY.reopen_within, latest_safe(times)), now)

    def _follow_alerts(self, episode: Episode, instances: list[Instance], now: int) -> None:
        """All is not well while something grave still fires on what is cited, also if it began before the action."""
        followed = {key for instance in instances for key in instance.tracks}
        # As with the context: what is older may be forgotten already or not yet, which must not show.
        since = max(episode.first_sign_at, now - RETENTION.event)
        alerts = self.state.memory.between(episode.services, sorted(ALERT_STATES), since, now)
        counted = (event for event in alerts if self.catalogue.counts(event.environment) is not False)
        episode.adopt_alerts(counted, followed)

    def _plan_close(self, episode: Episode, at: int, now: int) -> None:
        at = max(at, now)
        if episode.closes_at is None or episode.closes_at < at:
            episode.closes_at = at
            self.state.set_timer(at, "close", episode.id)

    def close(self, episode: Episode, now: int) -> None:
        """First the episode takes no more evidence; an open draft is watched for tied impact for a week."""
        if episode.closes_at is None or episode.closes_at > now:
            return
        if episode.wake_at is not None:
            if not episode.closed:
                episode.closes_at = None
                self.state.touch_episode(episode)
            return
        if episode.closed or episode.draft is None or episode.withdrawn:
            self._close(episode)
            self.state.keep_draft(episode)
            self.state.remove_episode(episode)
            return
        self._close(episode)
        episode.closes_at = max((episode.safe_at or now) + POLICY.tied_within, now)
        self.state.set_timer(episode.closes_at, "close", episode.id)

    def _close(self, episode: Episode) -> None:
        if self._net is not None:
            self._net.release(episode.instances)
        for instance_id in episode.instances:
            if (instance := self.state.instances.get(instance_id)) is not None:
                self.state.remove_instance(instance)
        episode.instances.clear()
        self.state.close_episode(episode)

    # -- the judgement -----------------------------------------------------------------------------------------

    def _judge(
        self, episode: Episode, instances: list[Instance], safe: Safe, now: int, looked_until: int | None
    ) -> None:
        try:
            draft = self._draft(episode, instances, safe, now, looked_until)
        except Refused as refused:
            self._refuse(episode, instances, refused, now)
            return
        if episode.draft is None:
            elder = same_event(self.state, self.catalogue, episode, now, weighed=self._net is not None)
            if elder is not None:
                self.correlator.grouper.merge(episode, elder)
                return
        episode.outcome = "draft"
        if episode.draft is None:
            self.out.append(Open(draft))
            for key in (draft.recurrence_key, *subject_keys(draft)):
                self.state.remember_recurrence(key, draft.opened_at, draft.id)
        elif draft != episode.draft:
            self.out.append(Amend(draft))
        episode.draft = draft

    def _refuse(self, episode: Episode, instances: list[Instance], refused: Refused, now: int) -> None:
        if refused.reason in (NotOpened.IMPACT_SEEN, NotOpened.IMPACT_IN_CHAIN):
            self._withdraw_chain(episode, refused.evidence, now)
        if episode.draft is not None:
            reason = {
                NotOpened.IMPACT_SEEN: Withdrawn.IMPACT_IN_WINDOW,
                NotOpened.IMPACT_IN_CHAIN: Withdrawn.IMPACT_IN_CHAIN,
                NotOpened.PLANNED_WORK: Withdrawn.PLANNED_WORK,
                NotOpened.COVERED_BY_MAINTENANCE: Withdrawn.PLANNED_WORK,
            }.get(refused.reason, Withdrawn.NO_LONGER_MATCHES)
            self._withdraw(episode, reason, refused.evidence, now)
        elif episode.outcome != str(refused.reason):
            ids = tuple(instance.hazards.earliest.event_id for instance in instances)
            ids += tuple(EventId(event.source, event.id) for event in refused.evidence)
            names = tuple(sorted({instance.rule for instance in instances}))
            service = instances[0].service
            self.out.append(Ignore(refused.reason, Instant(now), names, service, ids, refused.detail))
        episode.outcome = str(refused.reason)

    def _draft(
        self, episode: Episode, instances: list[Instance], safe: Safe, now: int, looked_until: int | None
    ) -> Draft:
        """The draft of an episode. Raises Refused."""
        valid, notes, steps = self._valid(instances, safe.at, now)
        shown = [instance for instance in valid if self._rule(instance).mode != "shadow"]
        if not shown:
            raise Refused(NotOpened.SHADOW, "only rules in shadow mode match: counted, not shown")
        rescue = self._weigh(shown)
        instances = sorted(rescue.instances, key=self._precedence)
        services = frozenset(s for i in instances for s in (i.service, *services_of(i.interventions.events)))
        scope = frozenset().union(*map(self.catalogue.upward, services))
        missing = self._placed(services, scope, instances)
        self._no_impact(episode, services, safe, now)
        predecessors = self._predecessors(episode)
        self._chain_unhurt(predecessors)
        evidence = self._sees(instances)
        exposed = danger_since(instances)
        start = episode.window_from if exposed is None else min(exposed, episode.window_from)
        window = Window(start, episode.window_to, looked_until)
        seen = coverage(self.state.feeds, self.catalogue, scope, services, evidence, window)
        if (is_blind := (cuts := self.state.cuts).blind_until > start) or cuts.lost_before(services) > start:
            missing.append(str(Missing.EVICTED))
        is_clear = seen.clear and not is_blind and Missing.SERVICE_UNKNOWN not in missing
        verdict: Verdict = "none" if is_clear else "unknown"
        missing += [*seen.missing, *safe.missing, *self._doubts(instances, services, now)]
        chain = tuple(other.draft.id for other in predecessors if other.draft is not None)
        judged = Judged(verdict, missing, seen, notes, steps, chain, rescue.weighed, rescue.mode)
        return self._writer.write(episode, instances, safe, judged, now)

    def _weigh(self, instances: list[Instance]) -> Rescue:
        """How likely a rescue is; without weights every candidate stands. Raises Refused where it is not likely."""
        if self._net is None:
            return Rescue(None, None, instances)
        rescue = weigh(self._net, instances, self._rule, self.catalogue)
        if rescue.weighed is not None and not rescue.instances:
            raise Refused(NotOpened.IMPROBABLE, say_improbable(rescue.weighed))
        return rescue

    def _valid(
        self, instances: list[Instance], safe_at: int, now: int
    ) -> tuple[list[Instance], dict[str, list[str]], list[Event]]:
        """The candidates that stand, and their further steps: in words by candidate, and the events."""
        valid, notes = [], {}
        refusals = []
        steps: list[Event] = []
        for instance in instances:
            try:
                notes[instance.id], seen = self._check(instance, safe_at, now)
                valid.append(instance)
                steps += seen
            except Refused as refused:
                refusals.append(refused)
        if not valid:
            raise refusals[0]
        return valid, notes, steps

    def _check(self, instance: Instance, safe_at: int, now: int) -> tuple[list[str], list[Event]]:
        """Whether one candidate stands, with notes on its further steps, and their events. Raises Refused."""
        memory = self.state.memory
        if all(maintenance_covers(memory, self.catalogue, event, now) for event in instance.hazards.events):
            raise Refused(NotOpened.COVERED_BY_MAINTENANCE, "announced maintenance covers every hazard")
        if instance.sibling_only and not self._recovered_close(instance):
            raise Refused(
                NotOpened.UNRELATED_INTERVENTION,
                "the action was on a sibling service, and no recovery followed closely",
            )
        notes = []
        seen: list[Event] = []
        action = instance.interventions.earliest
        compiled = self.matcher.rules.get(instance.rule)
        for step in compiled.clauses if compiled is not None else ():
            clause = step.clause
            assert clause is not None  # `clauses` are the further steps
            found = list(self.correlator.steps.events(step, instance, action, safe_at))
            count = max(len(found), instance.counted.get(clause.name, 0))
            if (unmet := clause_unmet(clause, count)) is not None:
                raise Refused(*unmet)
            notes.append(say_met(clause, count))
            seen += found
        return notes, seen

    def _recovered_close(self, instance: Instance) -> bool:
        action_at = instance.interventions.latest.time
        recoveries = [track.recovered_at for track in instance.tracks.values() if track.recovered_at is not None]
        return any(0 <= recovered - action_at <= POLICY.sibling_close for recovered in recoveries)

    def _placed(self, services: frozenset[str], scope: frozenset[str], instances: list[Instance]) -> list[str]:
        """Where the catalogue puts it. Raises Refused where nothing that users see depends on it.

        An exposure needs no path to users, and a person who reports it knows whom it concerns.
        """
        if self.catalogue.is_empty:
            return []
        unknown = [service for service in sorted(services) if not self.catalogue.knows(service)]
        if unknown:
            return [str(Missing.SERVICE_UNKNOWN)]
        reported = any(is_report(event) for instance in instances for event in instance.hazards.events)
        matters = reported or self._rule(instances[0]).kind == "exposure"
        if not matters and not any(self.catalogue.is_user_facing(service) for service in scope):
            raise Refused(
                NotOpened.NO_PATH_TO_USERS, "nothing that users see depends on " + ", ".join(sorted(services))
            )
        return []

    # -- impact ------------------------------------------------------------------------------------------------

    def _no_impact(self, episode: Episode, services: frozenset[str], safe: Safe, now: int) -> None:
        """Raises Refused where users were hit in the window, or in the scope within a day after safe."""
        found = [
            span
            for span in self._impact(episode, services, safe.at + POLICY.reported_within, now)
            if span.start <= max(episode.window_to, counts_until(span, safe.at))
        ]
        hurt = [span for span in found if not span.planned]
        if hurt:
            detail = "users were hit"
            if all(span.elsewhere for span in hurt):
                detail += ", and the catalogue says of " + ", ".join(sorted(services)) + " neither where it belongs"
                detail += " nor what it resembles (nearmiss services suggest)"
            raise Refused(NotOpened.IMPACT_SEEN, detail, [span.event for span in hurt])
        if found:
            raise Refused(NotOpened.PLANNED_WORK, "the impact was announced", [s.event for s in found])

    def _impact(self, episode: Episode, services: frozenset[str], until: int, now: int) -> list[Span]:
        """Impact that overlaps the window or began within reach by `until`, as far as known by `now`."""
        reach = reach_of(services, self.catalogue)
        spans = impact_spans(self.state.memory, self.catalogue, reach, now)
        spans += incident_spans(self.state.memory, self.catalogue, reach, now)
        return [span for span in spans if span.overlaps(episode.window_from, max(episode.window_to, until))]

    def impact_arrived(self, event: Event, now: int) -> None:
        """Impact evidence arrived: take back, or mark, every open draft that it contradicts."""
        if event.service is None or not self.catalogue.knows(event.service):
            concerned = list(self.state.episodes.values())
        else:
            is_record = event.kind.startswith("incident.")
            reached = self.catalogue.along(event.service) if is_record else self.catalogue.downward(event.service)
            unplaced = frozenset(name for name in self.state.citing if not self.catalogue.knows(name))
            concerned = self.state.episodes_citing(reached | unplaced)
        for episode in sorted(concerned, key=lambda episode: episode.id):
            if episode.draft is not None and not episode.withdrawn:
                self._contradict(episode, event, now)
        self.out += contradictions(self.state, self.catalogue, event, now)
        if event.kind == "incident.closed" and event.service is not None:
            # A closing can be what makes an episode safe.
            for episode in self.state.episodes_citing(frozenset({event.service})):
                self.correlator.grouper.changed(episode)

    def _contradict(self, episode: Episode, event: Event, now: int) -> None:
        services = frozenset(episode.draft.services if episode.draft else episode.services)
        safe_at = episode.safe_at or episode.window_to
        found = self._impact(episode, services, safe_at + POLICY.tied_within, now)
        for span in sorted(found, key=lambda span: (span.start, span.event.source, span.event.id)):
            if span.overlaps(episode.window_from, episode.window_to):
                reason = Withdrawn.IMPACT_IN_WINDOW
            elif span.start <= counts_until(span, safe_at):
                reason = Withdrawn.IMPACT_AFTERWARDS
            elif self._tied(span.event, episode):
                reason = Withdrawn.IMPACT_TIED
            else:
                continue
            self._withdraw(episode, Withdrawn.PLANNED_WORK if span.planned else reason, [span.event], now)
            self._withdraw_chain(episode, [span.event], now)
            return

    def _tied(self, event: Event, episode: Episode) -> bool:
        """The same subject, change or incident."""
        references = {
            event.subject,
            *(event.labels.get(name) for name in ("change", "incident", "caused_by", "deployment")),
        }
        known = {*episode.subjects, *(reference.partition("\x1f")[2] for reference in episode.cited)}
        return any(reference is not None and reference in known for reference in references)

    def _withdraw(self, episode: Episode, reason: Withdrawn, evidence: Sequence[Event], now: int) -> None:
        assert episode.draft is not None  # only what was opened is withdrawn
        self.out.append(Withdraw(episode.draft.id, reason, Instant(now), tuple(cite(evidence, "impact"))))
        episode.withdrawn = True
        episode.outcome = str(reason)
        self.state.touch_episode(episode)

    # -- chains ------------------------------------------------------------------------------------------------

    def _predecessors(self, episode: Episode) -> list[Episode]:
        """Episodes whose fix was followed within the hour by this one, on the same or a dependent service."""
        below = frozenset().union(*map(self.catalogue.downward, episode.services))
        first = episode.first_sign_at
        return [
            other
            for other in self.state.episodes_citing(below)
            if other.id != episode.id and any(0 < first - at <= POLICY.chain_within for at in other.action_times)
        ]

    def _chain_unhurt(self, predecessors: list[Episode]) -> None:
        for other in predecessors:
            if other.outcome in (NotOpened.IMPACT_SEEN, Withdrawn.IMPACT_IN_WINDOW, Withdrawn.IMPACT_AFTERWARDS):
                raise Refused(NotOpened.IMPACT_IN_CHAIN, "users were hit earlier in the chain")

    def _withdraw_chain(self, episode: Episode, evidence: Sequence[Event], now: int) -> None:
        for other in self._predecessors(episode):
            if other.draft is not None and not other.withdrawn:
                self._withdraw(other, Withdrawn.IMPACT_IN_CHAIN, evidence, now)

    def _doubts(self, instances: list[Instance], services: frozenset[str], now: int) -> list[str]:
        found = []
        events = [e for i in instances for e in (*i.hazards.events, *i.interventions.events)]
        if all(instance.sibling_only for instance in instances):
            found.append(str(Missing.SIBLING_ONLY))
        found += doubts_of(events)
        views = incidents(self.state.memory, self.catalogue, services, now)
        first = min(event.time for event in events)
        if any(view.impact in (None, "unknown") and view.span.end >= first for view in views):
            found.append(str(Missing.IMPACT_UNSTATED))
        return found

    # -- parts -------------------------------------------------------------------------------------------------

    def _parts(self, episode: Episode) -> tuple[list[Instance], list[Rule]]:
        instances = [self.state.instances[known] for known in episode.instances if known in self.state.instances]
        return instances, [self._rule(instance) for instance in instances]

    def _rule(self, instance: Instance) -> Rule:
        return rule_named(instance.rule, self.matcher.rules)

    def _safe(self, episode: Episode, instances: list[Instance], rules: list[Rule], now: int) -> Safe:
        views = incidents(self.state.memory, self.catalogue, episode.services, now)
        closings = [view for view in views if view.span.event.time >= episode.window_from or view.closed_at is not None]
        return find_safe(episode, instances, max(rule.settle for rule in rules), closings)

    def _sees(self, instances: list[Instance]) -> frozenset[str]:
        """Which evidence can see the harm of the rule that names the episode."""
        return self._rule(instances[0]).impact.evidence

    def _precedence(self, instance: Instance) -> tuple[bool, int, int, str, str]:
        rule = self._rule(instance)
        return (rule.generic, MODE_ORDER[rule.mode], instance.first_sign_at, rule.name, instance.id)
