"""What was found about services: by whom it was said, who depends on whom, who owns what."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class FoundService(msgspec.Struct):
    """One service. `told_by`: what it was found in, in words."""

    name: str
    told_by: str
    user_facing: bool = False
    depends_on: set[str] = msgspec.field(default_factory=set)
    owner: str | None = None
    namespace: str | None = None


class FoundServices:
    """Services by name, as several sources add them up; the first that names one is told."""

    def __init__(self) -> None:
        self.services: dict[str, FoundService] = {}
        self.environments: set[str] = set()

    def service(self, name: str, told_by: str) -> FoundService:
        """The service, new or known."""
        return self.services.setdefault(name, FoundService(name, told_by))

    def edges(self, pairs: Iterable[tuple[str, str]], told_by: str) -> None:
        """Pairs of who calls and who is called."""
        for client, server in pairs:
            if client != server:
                self.service(client, told_by).depends_on.add(server)
                self.service(server, told_by)
