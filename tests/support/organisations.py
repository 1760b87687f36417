"""Several web shops that know nothing of each other, so that there is something to spread over partitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from monitor.core.model.events import Event, Instant
from monitor.demo.story import CATALOGUE, story


def shops(count: int, now: Instant) -> list[Event]:
    """The six days of the demonstration in each of so many shops, in the order of arrival."""
    events = []
    for event in story(now):
        for number in range(count):
            service = None if event.service is None else f"{number}-{event.service}"
            events.append(msgspec.structs.replace(event, id=f"{number}-{event.id}", service=service))
    return events


def write_catalogue(count: int, directory: Path) -> Path:
    """The catalogue file of these shops."""
    one: dict[str, Any] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    services, feeds = {}, []
    for number in range(count):
        for name, service in one["services"].items():
            depends_on = [f"{number}-{other}" for other in service.get("depends_on", ())]
            services[f"{number}-{name}"] = {
                **service,
                "domain": f"{number}-{service['domain']}",
                "depends_on": depends_on,
            }
        feeds += [{**feed, "service": f"{number}-{feed['service']}"} for feed in one["feeds"]]
    path = directory / "shops.yaml"
    path.write_text(yaml.safe_dump({**one, "services": services, "feeds": feeds}), encoding="utf-8")
    return path
