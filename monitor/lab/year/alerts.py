"""Verbs of monitoring and paging: fire, resolve, page, acknowledge, escalate, annotate, add responders."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.lab.year.alert_rules import FAULTS, Alarm, labels_of, measured
from monitor.lab.year.bodies import watching
from monitor.lab.year.organisation import Part
from monitor.lab.year.spelling import SpeltPerson
from monitor.lab.year.telling import Telling
from monitor.lab.year.world import Ids


class Paging(msgspec.Struct):
    """An incident of the paging tool that is open, and who took it."""

    data: dict[str, Any]
    alarm: Alarm
    taken_by: SpeltPerson | None = None


class Alerts(Telling):
    def alert(self, fault_name: str, part: Part | None = None, environment: str | None = None) -> tuple[Alarm, Ids]:
        part, fault = part or self.part, FAULTS[fault_name]
        value = measured(fault, self.random)
        shown = f"{value:g}"
        labels = labels_of(part, fault, self.habits, environment or self.habits.environment, self.random.randrange(6))
        title = fault.says.format(value=shown, name=part.names["alertmanager"])
        annotations = {"summary": title, "value": shown}
        expression = (
            f"{part.namespace}_{fault.name.lower()}%20{'%3E' if fault.sign == '>' else '%3C'}%20{fault.limit:g}"
        )
        alarm = Alarm(part, fault, labels, annotations, expression, watching.fingerprint(labels), self.at, title)
        self.alarms.append(alarm)
        return alarm, self.send(watching.alertmanager(self.company, labels, annotations, expression, self.at))

    def end(self, alarm: Alarm, paging: Paging | None = None) -> Ids:
        """The alert recovers; for a share of recoveries no resolve is sent."""
        alarm.ended = True
        self.world.recoveries += 1
        if self.random.random() < self.world.unsaid:
            self.world.recoveries_unsaid += 1
            return ()
        ids = self.send(
            watching.alertmanager(self.company, alarm.labels, alarm.annotations, alarm.expression, alarm.began, self.at)
        )
        if paging is not None:
            self.later(0.2, 1)
            paging.data["status"] = "resolved"
            person = paging.taken_by if paging.taken_by is not None and self.chance(0.4) else None
            self._paging(paging, "incident.resolved", person)
        return ids

    def page(self, alarm: Alarm) -> tuple[Paging, Ids]:
        urgency = "high" if alarm.fault.grade == "grave" or self.chance(0.4) else "low"
        data = watching.incident(
            self.company,
            self.world.number(),
            alarm.key,
            alarm.title,
            alarm.part.names["pagerduty"],
            "triggered",
            urgency,
            self.at,
        )
        paging = Paging(data, alarm)
        return paging, self._paging(paging, "incident.triggered", None)

    def take(self, paging: Paging, who: SpeltPerson | None = None) -> Ids:
        paging.taken_by = who or self.on_call(paging.alarm.part)
        paging.data["status"] = "acknowledged"
        return self._paging(paging, "incident.acknowledged", paging.taken_by)

    def escalate(self, paging: Paging) -> Ids:
        return self._paging(paging, "incident.escalated", None)

    def call_in(self, paging: Paging, who: SpeltPerson) -> Ids:
        """A responder is added and accepts."""
        asked = watching.responder(self.company, paging.data, who, "pending")
        ids = self.send(
            watching.pagerduty(
                self.company, self._id("01E"), "incident.responder.added", self.at, asked, paging.taken_by
            )
        )
        self.later(2, 12)
        came = watching.responder(self.company, paging.data, who, "accepted")
        return ids + self.send(
            watching.pagerduty(self.company, self._id("01E"), "incident.responder.replied", self.at, came, who)
        )

    def note_on(self, paging: Paging, who: SpeltPerson, text: str) -> Ids:
        data = watching.note(paging.data, self._id("N"), text)
        return self.send(watching.pagerduty(self.company, self._id("01E"), "incident.annotated", self.at, data, who))

    def tell_stakeholders(self, paging: Paging, text: str) -> Ids:
        data = watching.status_update(paging.data, self._id("S"), text)
        kind = "incident.status_update_published"
        return self.send(watching.pagerduty(self.company, self._id("01E"), kind, self.at, data, paging.taken_by))

    def edit_paging(self, who: SpeltPerson) -> Ids:
        data = watching.setting(self.company, self.part.names["pagerduty"])
        return self.send(watching.pagerduty(self.company, self._id("01E"), "service.updated", self.at, data, who))

    def _paging(self, paging: Paging, event_type: str, who: SpeltPerson | None) -> Ids:
        return self.send(watching.pagerduty(self.company, self._id("01E"), event_type, self.at, dict(paging.data), who))
