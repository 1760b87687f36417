"""Argo CD and Argo Rollouts: the objects themselves, as a notification template posts them whole.

A sync that goes to a revision that ran before is a rollback; a rollout that is aborted is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, first, make, mapping, moment, not_the_shape, sequence, text
from monitor.decode.tool import Sample, Tool

_PHASES: dict[str, Kind] = {
    "Running": "change.started",
    "Succeeded": "change.deployed",
    "Failed": "change.failed",
    "Error": "change.failed",
    "Terminating": "change.held",
}
_PLACES = (("application", "Application"), ("app", "Application"), ("rollout", "Rollout"))
_STEP_PAUSES = frozenset({"CanaryPauseStep", "BlueGreenPause"})
_ENVIRONMENT = ("environment", "env", "app.kubernetes.io/environment")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The object of a body with its kind and the trigger. Raises Unreadable."""
    found = mapping(body)
    for place, kind in _PLACES:
        if isinstance(found.get(place), dict):
            return [(kind, found[place], text(found.get("trigger")))]
    if found.get("kind") in ("Application", "Rollout") and isinstance(found.get("metadata"), dict):
        return [(found["kind"], found, text(found.get("trigger")))]
    if isinstance(found.get("metadata"), dict) and "kind" in found:
        return [(text(found.get("kind")), found, None)]
    raise not_the_shape("an Application or a Rollout, as the template on the page posts it", body)


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The events of one object. Raises Unreadable or NoEvent."""
    kind, found, trigger = piece if isinstance(piece, tuple) else (None, mapping(piece), None)
    metadata = mapping(found.get("metadata"))
    if text(metadata.get("name")) is None:
        raise Unreadable(Rejected.MISSING_FIELD, "metadata.name is missing; every object has one")
    if kind == "Rollout":
        return [_rollout(found, metadata, delivery)]
    if kind == "Application":
        return _application(found, metadata, (trigger or "").lower(), delivery)
    raise NoEvent(Ignored.UNKNOWN_TYPE, f"an object of the kind {kind!r:.60} is none that we read")


def _application(app: Mapping[str, Any], metadata: Mapping[str, Any], trigger: str, delivery: Delivery) -> list[Event]:
    """A sync, or the health where the trigger speaks of that; an object keeps its last sync until the next."""
    health = mapping(mapping(app.get("status")).get("health"))
    about_health = "health" in trigger or "degraded" in trigger
    if not trigger and text(health.get("status")) in ("Degraded", "Missing") and _is_settled(app):
        # Nobody says what the body is about: an application that is unwell after its sync is news, the sync is not.
        about_health = True
    if about_health:
        return [_health(app, metadata, health, delivery)]
    return [_sync(app, metadata, delivery)]


def _is_settled(app: Mapping[str, Any]) -> bool:
    state = mapping(mapping(app.get("status")).get("operationState"))
    return text(state.get("phase")) in (None, "Succeeded")


def _sync(app: Mapping[str, Any], metadata: Mapping[str, Any], delivery: Delivery) -> Event:
    status = mapping(app.get("status"))
    state = mapping(status.get("operationState"))
    phase = text(state.get("phase")) or ""
    kind = _PHASES.get(phase)
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, "an application without a sync that began or ended")
    operation, result = mapping(state.get("operation")), mapping(state.get("syncResult"))
    revision = first(result, ("revision",)) or first(mapping(operation.get("sync")), ("revision",))
    history = [text(mapping(one).get("revision")) for one in sequence(status.get("history"))]
    before = history[:-1] if history and history[-1] == revision else history
    if kind == "change.deployed" and before and before[-1] != revision and revision in before:
        kind = "change.rolled_back"
    actor, said = _initiator(mapping(operation.get("initiatedBy")))
    at = first(state, ("startedAt",) if kind == "change.started" else ("finishedAt", "startedAt"))
    name = text(metadata.get("name"))
    images = [image for one in sequence(mapping(status.get("summary")).get("images")) if (image := text(one))]
    return make(
        delivery,
        id="/".join(filter(None, (text(metadata.get("uid")) or name, phase, text(state.get("startedAt")), revision))),
        kind=kind,
        time=moment(at, "operationState"),
        service=name,
        environment=first(mapping(metadata.get("labels")), _ENVIRONMENT),
        subject=f"application/{name}",
        title=f"sync of {name}: {phase.lower()}",
        actor=actor,
        labels={
            **said,
            **_place(app),
            "version": image_version(images) or revision,
            "commit": revision,
            "previous_version": before[-1] if before and image_version(images) is None else None,
            "message": text(state.get("message")),
            "health": text(mapping(status.get("health")).get("status")),
            "images": ",".join(images) or None,
        },
    )


def _health(
    app: Mapping[str, Any], metadata: Mapping[str, Any], health: Mapping[str, Any], delivery: Delivery
) -> Event:
    state = text(health.get("status")) or "Unknown"
    if state not in ("Degraded", "Missing", "Healthy"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"health {state:.40}: neither bad nor well")
    name = text(metadata.get("name"))
    status = mapping(app.get("status"))
    at = text(health.get("lastTransitionTime")) or text(mapping(status.get("operationState")).get("finishedAt"))
    at = at or text(status.get("reconciledAt"))
    is_well = state == "Healthy"
    return make(
        delivery,
        id="/".join(filter(None, (text(metadata.get("uid")) or name, "health", state, at))),
        kind="alert.resolved" if is_well else "alert.fired",
        time=moment(at, "status.health"),
        service=name,
        environment=first(mapping(metadata.get("labels")), _ENVIRONMENT),
        subject=f"application/{name}/health",
        severity=None if is_well else "high",
        title=f"{name} is {state.lower()}" + (f": {health['message']}" if text(health.get("message")) else ""),
        labels={**_place(app), "version": text(mapping(status.get("sync")).get("revision"))},
    )


def _place(app: Mapping[str, Any]) -> dict[str, str | None]:
    spec = mapping(app.get("spec"))
    source = mapping(spec.get("source")) or mapping(next(iter(sequence(spec.get("sources"))), None))
    target = mapping(spec.get("destination"))
    return {
        "project": text(spec.get("project")),
        "repository": text(source.get("repoURL")),
        "namespace": text(target.get("namespace")),
        "cluster": first(target, ("name", "server")),
    }


def image_version(images: list[str]) -> str | None:
    """The tag of an application that is one image: what runs, whatever commit of the manifests says so."""
    names = {image.rpartition("@")[0] or image for image in images}
    if len(names) != 1:
        return None
    _, mark, tag = names.pop().rpartition(":")
    return tag if mark and "/" not in tag else None


def _initiator(by: Mapping[str, Any]) -> Named:
    if by.get("automated") is True or not text(by.get("username")):
        return Actor(id=text(by.get("username")), kind="automation"), {}
    name = text(by.get("username"))
    return who(name, email=name if name and "@" in name else None)


def _rollout(rollout: Mapping[str, Any], metadata: Mapping[str, Any], delivery: Delivery) -> Event:
    status, spec = mapping(rollout.get("status")), mapping(rollout.get("spec"))
    phase, name = text(status.get("phase")) or "", text(metadata.get("name"))
    kind, at = _step(status, spec, phase)
    containers = sequence(mapping(mapping(spec.get("template")).get("spec")).get("containers"))
    image = text(mapping(next(iter(containers), None)).get("image"))
    generation = text(status.get("observedGeneration"))
    hash_ = text(status.get("currentPodHash"))
    return make(
        delivery,
        id="/".join(filter(None, (text(metadata.get("uid")) or name, kind, generation, hash_, at))),
        kind=kind,
        time=moment(at, "status") or _last_condition(status),
        service=name,
        environment=first(mapping(metadata.get("labels")), _ENVIRONMENT),
        subject="/".join(filter(None, ("rollout", text(metadata.get("namespace")), name))),
        title=f"rollout {name}: {text(status.get('message')) or phase}",
        actor=Actor(id="argo-rollouts", kind="automation") if kind != "change.held" or not at else None,
        labels={
            "namespace": text(metadata.get("namespace")),
            "phase": phase,
            "message": text(status.get("message")),
            "image": image,
            "version": image.rpartition(":")[2] if image and ":" in image.rpartition("/")[2] else hash_,
            "stable": text(status.get("stableRS")),
            "step": text(status.get("currentStepIndex")),
        },
    )


def _step(status: Mapping[str, Any], spec: Mapping[str, Any], phase: str) -> tuple[Kind, str | None]:
    """What became of a rollout, and when, where it tells. Raises NoEvent."""
    if status.get("abort") is True:
        return "change.held", text(status.get("abortedAt"))
    pauses = [mapping(one) for one in sequence(status.get("pauseConditions"))]
    odd = next((one for one in pauses if text(one.get("reason")) not in _STEP_PAUSES), None)
    if odd is not None or spec.get("paused") is True:
        return "change.held", text((odd or {}).get("startTime"))
    if phase == "Degraded":
        return "change.failed", None
    if phase == "Healthy":
        return "change.deployed", None
    if phase == "Progressing":
        return "change.started", None
    raise NoEvent(Ignored.NOT_RELEVANT, f"phase {phase or 'unknown'!s:.40}: a planned step on its way")


def _last_condition(status: Mapping[str, Any]) -> Any:
    times = [
        found
        for one in map(mapping, sequence(status.get("conditions")))
        if (found := moment(first(one, ("lastUpdateTime", "lastTransitionTime")), "conditions")) is not None
    ]
    return max(times, default=None)


_SAMPLE = """{"trigger": "on-deployed", "application": {"metadata": {"name": "payments", "uid": "2f1c", "labels": {
 "env": "production"}}, "spec": {"project": "shop", "source": {"repoURL": "https://git.example/acme/payments"},
 "destination": {"namespace": "shop", "name": "eu-1"}}, "status": {"health": {"status": "Healthy"}, "operationState": {
 "phase": "Succeeded", "startedAt": "2026-03-10T11:59:30Z", "finishedAt": "2026-03-10T12:00:00Z", "operation": {
 "initiatedBy": {"username": "dev-one"}}, "syncResult": {"revision": "9c1f0a7b"}}}}}"""

_SETUP = """
Add this to `argocd-notifications-cm` (the token goes into `argocd-notifications-secret` as `nearmiss-token`), and the
subscription `notifications.argoproj.io/subscribe.nearmiss: ""` or the line `subscriptions` for all applications:

```yaml
data:
  service.webhook.nearmiss: |
    url: http://nearmiss:8080/ingest/argo
    headers: [{name: Authorization, value: "Bearer $nearmiss-token"}, {name: Content-Type, value: application/json}]
  template.nearmiss-sync: |
    webhook: {nearmiss: {method: POST, body: '{"trigger": "sync", "application": {{toJson .app}}}'}}
  template.nearmiss-health: |
    webhook: {nearmiss: {method: POST, body: '{"trigger": "health", "application": {{toJson .app}}}'}}
  trigger.nearmiss: |
    - when: app.status?.operationState.phase in ['Running', 'Succeeded', 'Failed', 'Error']
      send: [nearmiss-sync]
    - when: app.status.health.status in ['Degraded', 'Missing', 'Healthy']
      send: [nearmiss-health]
  subscriptions: |
    - {recipients: ["nearmiss:"], triggers: [nearmiss]}
```

Argo Rollouts has the same notifications (`argo-rollouts-notification-configmap`); its template posts
`{"rollout": {{toJson .rollout}}}`. Its Kubernetes events are read too, see there.
"""

TOOL = Tool(
    name="argo",
    title="Argo CD and Argo Rollouts",
    tells="syncs and who started them, rollbacks, rollouts that were aborted, health",
    kinds=tuple(sorted({*_PHASES.values(), "change.rolled_back", "alert.fired", "alert.resolved"})),
    sample=Sample(_SAMPLE, ("change.deployed",)),
    setup=_SETUP,
    limits=(
        "An automated sync has no person: connect the repository to see who merged.",
        "The environment comes from a label `env` or `environment`, else from the end of a name such as `shop-prod`.",
    ),
    aliases=("argocd", "argo-cd", "argo-rollouts"),
    split=split,
    read=read,
)
