"""User impact during a plot, and how it is reported: status page, probe, burn alert, stakeholder update, ticket.

Turns a plot into an incident with impact.
"""

from __future__ import annotations

from monitor.core.model.events import HOUR, MINUTE, SECOND, Instant
from monitor.lab.year.bodies import shipping, stamp, watching
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.truth import PlotResult
from monitor.lab.year.world import Ids

WAYS = ("post", "probe", "burn and post", "burn", "stakeholders", "late ticket", "late post")
_WEIGHTS = (34, 22, 14, 6, 8, 8, 8)


def hit_users(scene: StoryScene, told: PlotResult, began: Instant) -> tuple[str, Ids]:
    """Impact between `began` and the plot's end; returns how it was reported, and the events."""
    random, organisation = scene.random, scene.organisation
    service = random.choice(sorted(organisation.facing_above(scene.part.name)))
    # A danger that stood for days hits users in its last hours.
    start = Instant(max(began, told.safe_at - 3 * HOUR) + random.randrange(4 * MINUTE // SECOND) * SECOND)
    end = Instant(max(told.safe_at, start + 5 * MINUTE) + random.randrange(6 * MINUTE // SECOND) * SECOND)
    scene.world.outages.setdefault(service, []).append((start, end))
    way = random.choices(WAYS, _WEIGHTS)[0]
    return way, _tell(scene, way, service, start, end)


def _tell(scene: StoryScene, way: str, service: str, start: Instant, end: Instant) -> Ids:
    match way:
        case "post":
            return _post(scene, service, start, Instant(start + 6 * MINUTE), end)
        case "late post":
            return _post(scene, service, start, Instant(end + scene.random.randint(1, 15) * HOUR), end)
        case "probe":
            return _probe(scene, service, start, end)
        case "burn":
            return _burn(scene, service, start, end)
        case "burn and post":
            return _burn(scene, service, start, end) + _post(scene, service, start, Instant(start + 9 * MINUTE), end)
        case "stakeholders":
            return _stakeholders(scene, service, start, end)
        case _:
            return _ticket(scene, service, start, Instant(end + scene.random.randint(1, 20) * HOUR))


def _post(scene: StoryScene, service: str, start: Instant, at: Instant, end: Instant) -> Ids:
    number = scene.world.number()
    ids: Ids = ()
    name = scene.organisation.parts[service].names["statuspage"]
    title, text = f"Problems with {name}", "Some requests fail. We are looking into it."
    impact = scene.random.choice(("minor", "major", "critical"))
    for status, moment in (("investigating", at), ("resolved", Instant(max(end, at + 10 * MINUTE)))):
        scene.at = moment
        ids += scene.send(
            watching.statuspage(scene.company, number, title, status, impact, start, scene.at, [name], text)
        )
        text = "This is over. We are sorry."
    return ids


def _probe(scene: StoryScene, service: str, start: Instant, end: Instant) -> Ids:
    ids: Ids = ()
    name = scene.organisation.parts[service].names["console"]
    source = next((one.source for one in scene.organisation.watches if one.service == service), "probes/eu")
    for kind, moment in (("impact.started", start), ("impact.ended", end)):
        scene.at = moment
        identity = f"{name}-{moment // SECOND:x}-{kind[7:]}"
        labels = {"evidence": "synthetic"}
        environment = scene.habits.environment
        ids += scene.send(
            shipping.own(source, identity, kind, moment, service=name, environment=environment, labels=labels)
        )
    return ids


def _burn(scene: StoryScene, service: str, start: Instant, end: Instant) -> Ids:
    """The budget of the objective burns fast: the generator of the rule labels it so."""
    part = scene.organisation.parts[service]
    name = part.names["alertmanager"]
    labels = {
        "alertname": "ErrorBudgetBurn",
        "severity": "critical",
        "sloth_severity": "page",
        "sloth_slo": "requests-availability",
        "sloth_service": name,
        "sloth_id": f"{name}-requests-availability",
        scene.habits.service_label: name,
    }
    annotations = {
        "summary": f"{name} burns its error budget too fast",
        "title": "(page) error budget burn rate is over",
    }
    ids: Ids = ()
    for ended in (None, end):
        scene.at = start if ended is None else end
        ids += scene.send(
            watching.alertmanager(scene.company, labels, annotations, "slo%3Asli_error%3Aratio_rate5m", start, ended)
        )
    return ids


def _stakeholders(scene: StoryScene, service: str, start: Instant, end: Instant) -> Ids:
    scene.at = start
    part = scene.organisation.parts[service]
    alarm, fired = scene.alert("RequestErrorsUp", part)
    scene.later(0.5, 1)
    paging, paged = scene.page(alarm)
    scene.later(1, 4)
    scene.take(paging)
    scene.later(1, 4)
    ids = scene.tell_stakeholders(paging, "Customers see errors. We work on it.")
    scene.at = Instant(max(end, scene.at + MINUTE))
    ids += scene.tell_stakeholders(paging, "Resolved: customers are fine again.")
    scene.end(alarm, paging)
    return fired + paged + ids


def _ticket(scene: StoryScene, service: str, start: Instant, at: Instant) -> Ids:
    scene.at = at
    name = scene.organisation.parts[service].names["console"]
    return scene.send(
        shipping.own(
            f"tickets/{scene.company}",
            f"T-{scene.world.number()}",
            "impact.started",
            at,
            service=name,
            title="customers could not finish",
            began_at=stamp(start),
            labels={"evidence": "ticket"},
        )
    )
