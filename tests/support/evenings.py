"""Evenings of organisations, told in the bodies of their tools and read by the decoders.

Each story is written from public knowledge of such trades; nobody tuned a weight to the ones marked `aside`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.core.model.events import HOUR, MINUTE, SECOND, Event, Instant, to_instant
from monitor.decode.catalogues import catalogue_from_mapping
from monitor.decode.registry import decode
from monitor.lab.cases import Case, Expect, Label
from monitor.lab.year.bodies import SentBody, acting, shipping, stamp, watching
from monitor.lab.year.spelling import SpeltPerson

START = to_instant(datetime(2026, 5, 12, 14, tzinfo=UTC))
PROBED_EVERY = 5 * MINUTE


def person(name: str, company: str) -> SpeltPerson:
    login = name.lower()
    return SpeltPerson(
        name, login, f"{login}@{company}.example", f"P{login.upper()[:5]}1", f"U0{login.upper()[:6]}", "ops"
    )


class Evening:
    """A cursor in minutes, and the bodies that arrive."""

    def __init__(self, company: str, users: str, *needs: str) -> None:
        self.company, self.users = company, users
        self.catalogue = catalogue_from_mapping(
            {"user_facing": [users], "production": ["production"], "depends_on": {users: list(needs)}}
        )
        self.events: list[Event] = []
        self.number = 0
        self.began: dict[str, Instant] = {}

    def at(self, minute: float) -> Instant:
        return Instant(START + int(minute * 60) * SECOND)

    def send(self, body: SentBody, minute: float) -> tuple[str, ...]:
        read = decode(body.source, body.bytes, body.headers, self.at(minute))
        assert read.refusals == (), body.source
        assert read.events, body.source
        self.events.extend(read.events)
        return tuple(event.id for event in read.events)

    def _next(self) -> int:
        self.number += 1
        return self.number

    # -- tools ---------------------------------------------------------------------------------------------------

    def fires(self, minute: float, name: str, service: str, severity: str, summary: str) -> tuple[str, ...]:
        self.began[f"{name}/{service}"] = self.at(minute)
        return self.send(self._alert(name, service, severity, summary, self.at(minute), None), minute)

    def clears(self, minute: float, name: str, service: str, severity: str, summary: str = "") -> tuple[str, ...]:
        began = self.began[f"{name}/{service}"]
        return self.send(self._alert(name, service, severity, summary, began, self.at(minute)), minute)

    def _alert(
        self, name: str, service: str, severity: str, summary: str, began: Instant, ended: Instant | None
    ) -> SentBody:
        labels = {"alertname": name, "service": service, "severity": severity, "environment": "production"}
        return watching.alertmanager(self.company, labels, {"summary": summary}, "up", began, ended)

    def page(
        self, minute: float, what: str, service: str, title: str, who: SpeltPerson | None = None
    ) -> tuple[str, ...]:
        """`what`: triggered, acknowledged or resolved; `who`: the person who answered."""
        key = f"{service}/{title}"
        status = what if what != "unacknowledged" else "triggered"
        data = watching.incident(
            self.company, 1 + sum(key.encode()) % 999, key, title, service, status, "high", self.at(minute)
        )
        return self.send(
            watching.pagerduty(self.company, f"01{self._next():06}", f"incident.{what}", self.at(minute), data, who),
            minute,
        )

    def says(self, minute: float, who: SpeltPerson, text: str, service: str) -> tuple[str, ...]:
        said = f"{text} service={service}"
        return self.send(acting.slack(f"Ev{self._next()}", "C0OPS", said, self.at(minute), who), minute)

    def kubectl(self, minute: float, who: SpeltPerson, service: str, replicas: int | None = None) -> tuple[str, ...]:
        """A restart, or a number of replicas, as the audit log tells it."""
        identity, at = f"audit-{self._next()}", self.at(minute)
        if replicas is not None:
            spec = {"replicas": replicas}
            body = acting.audit(identity, "main", service, at, who.email, sub="scale", spec=spec)
        else:
            notes = {"kubectl.kubernetes.io/restartedAt": stamp(at)}
            body = acting.audit(
                identity, "main", service, at, who.email, spec={"template": {"metadata": {"annotations": notes}}}
            )
        return self.send(body, minute)

    def deploys(self, minute: float, who: SpeltPerson, service: str, sha: str) -> tuple[str, ...]:
        account = shipping.account(who.login)
        body = shipping.deployment_status(
            self.company, service, self._next(), "success", "production", sha * 40, self.at(minute), account, None, None
        )
        return self.send(body, minute)

    def flag(self, minute: float, who: SpeltPerson, key: str, *, on: bool) -> tuple[str, ...]:
        identity = f"{self._next():024x}"
        return self.send(acting.launchdarkly(identity, self.users, "production", key, on, self.at(minute), who), minute)

    def script(
        self, minute: float, source: str, kind: str, service: str, title: str, **more: object
    ) -> tuple[str, ...]:
        """A line in the event format, as an organisation's own scheduler or console sends it."""
        body = shipping.own(
            source, f"{source}-{self._next()}", kind, self.at(minute), service=service, environment="production",
            title=title, **more,
        )  # fmt: skip
        return self.send(body, minute)

    def story(self, name: str, label: Label, hazard: tuple[str, ...] = (), act: tuple[str, ...] = ()) -> Case:
        """The evening as a case, with a probe of the service that users see."""
        probes = [
            Event(
                id=f"p{at}", source="probe", time=Instant(at), kind="impact.clear", service=self.users,
                environment="production", labels={"evidence": "synthetic"},
            )
            for at in range(START - 6 * HOUR, START + 40 * HOUR, PROBED_EVERY)
        ]  # fmt: skip
        events = tuple(sorted([*probes, *self.events], key=lambda event: event.time))
        expect = Expect(1 if label == "near_miss" else 0, hazard, act)
        return Case(f"{self.company}-{name}", label, self.catalogue, events, expect, name)
