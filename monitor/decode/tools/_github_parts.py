"""What every body of GitHub holds: its repository, whose it is, and who did it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Rejected
from monitor.decode.outcome import Unreadable
from monitor.decode.reading import first, mapping, not_the_shape, text
from monitor.decode.repository_paths import is_of_many


def part_of(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise not_the_shape(f"an object {name!r} in a body of this event", body)
    return part


def number_of(part: Mapping[str, Any]) -> str:
    found = text(part.get("id"))
    if found is None:
        raise Unreadable(Rejected.MISSING_FIELD, "id is missing; everything that GitHub sends has one")
    return found


def repository_of(body: Mapping[str, Any]) -> str | None:
    return first(mapping(body.get("repository")), ("full_name", "name"))


def service_of(body: Mapping[str, Any]) -> str | None:
    name = text(mapping(body.get("repository")).get("name"))
    return None if is_of_many(name) else name


def common_labels(body: Mapping[str, Any]) -> dict[str, Any]:
    sender = mapping(body.get("sender"))
    repository = repository_of(body)
    many = is_of_many(text(mapping(body.get("repository")).get("name")))
    return {
        "repository": repository,
        "service_id": repository if many else None,
        "sender": text(sender.get("login")),
        "action": text(body.get("action")),
    }


def actor_of(account: Any) -> Actor | None:
    login = text(mapping(account).get("login"))
    if login is None:
        return None
    if login.endswith("[bot]") or text(account.get("type")) == "Bot":
        return Actor(id=login, kind="automation")
    return Actor(id=login, kind="human" if text(account.get("type")) == "User" else "unknown")
