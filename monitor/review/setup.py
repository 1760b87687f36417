"""What an organisation has not set up, and what each would bring; everything works without, with lower confidence.

Reads the catalogue and what arrived lately. Decides what is worth saying, not how it looks.
"""

from __future__ import annotations

import msgspec

from monitor.core.matching.coverage import Looked
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Instant

OWN = frozenset({"nearmiss", "events", "canonical", "curl"})
"""Sources that are no tool of the organisation."""
_FEED = "impact.clear"
_ACTS = "change."


class Gap(msgspec.Struct, frozen=True):
    """Something that is not there; `brings` says what it would add, `page` where it is described."""

    name: str
    missing: str
    brings: str
    page: str


class Setup(msgspec.Struct, frozen=True):
    """The catalogue in force, and the newest look at what arrived; None before the first."""

    catalogue: Catalogue = Catalogue()
    looked: Looked | None = None

    def learning_until(self, now: Instant) -> Instant | None:
        """When the habits are learnt; None where they are, or where nothing has arrived to learn from."""
        until = None if self.looked is None else self.looked.learning_until
        return until if until is not None and until > now else None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What is missing, the most useful first."""
        catalogue, arrived = self.catalogue, None if self.looked is None else self.looked.arrived
        tools = [] if arrived is None else [name for name in arrived.sources if name and name not in OWN]
        kinds = {} if arrived is None else arrived.kinds
        found = []
        if not catalogue.feeds and not kinds.get(_FEED):
            found.append(_NO_FEED)
        if catalogue.is_empty:
            found.append(_NO_CATALOGUE)
        if len(tools) == 1:
            found.append(Gap(_ONE_TOOL.name, f"Only {tools[0]} sends events", _ONE_TOOL.brings, _ONE_TOOL.page))
        elif tools and not any(kind.startswith(_ACTS) for kind in kinds):
            found.append(_NO_ACTS)
        if not catalogue.is_empty and not catalogue.aliases:
            found.append(_NO_ALIASES)
        if not catalogue.people:
            found.append(_NO_PEOPLE)
        if not catalogue.is_empty and not catalogue.production:
            found.append(_NO_PRODUCTION)
        return tuple(found)


_NO_FEED = Gap(
    "feeds",
    "No feed says whether users are fine",
    "With a probe, an SLO or a status page a verdict can be “users spared”; without one impact stays unverified.",
    "docs/how-to/feeds.md",
)
_NO_CATALOGUE = Gap(
    "catalogue",
    "No catalogue",
    "With services, dependencies and what users see, an action next door counts, and impact is looked for where it"
    " would show.",
    "docs/how-to/catalogue.md",
)
_ONE_TOOL = Gap(
    "tools",
    "",
    "A near miss has a hazard and an intervention: alerts, changes, pages and notes come from several tools, and two"
    " that agree make it more certain.",
    "docs/how-to/webhooks.md",
)
_NO_ACTS = Gap(
    "changes",
    "No tool reports changes",
    "Deployments, flags, restarts and holds are what may have caught it; without any, no draft opens.",
    "docs/how-to/webhooks.md",
)
_NO_ALIASES = Gap(
    "aliases",
    "No service has aliases",
    "With them, a service is recognised by the name that each tool has for it. The command “nearmiss services"
    " suggest” prints the lines.",
    "docs/how-to/catalogue.md",
)
_NO_PEOPLE = Gap(
    "people",
    "No people are listed",
    "With their ids in each tool, a page and a fix by the same person are recognised as such, which makes a rescue more"
    " certain.",
    "docs/how-to/catalogue.md",
)
_NO_PRODUCTION = Gap(
    "production",
    "No environment is named as production",
    "Test systems stop counting.",
    "docs/how-to/catalogue.md",
)
