"""How each tool spells service names and identifies people, as habits of one organisation.

Knows nothing of what the tools send.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

Spelling = Callable[[str], str]

TOOLS = ("alertmanager", "pagerduty", "github", "kubernetes", "statuspage", "pipeline", "console", "notes")
"""Each spells a service in its own way. `pipeline` is CDEvents or Argo CD, `console` a script, `notes` a chat."""

_SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "alertmanager": (str, lambda name: name.replace("-", "_"), lambda name: f"{name}-prod"),
    "pagerduty": (
        str,
        lambda name: name.replace("-", " ").title(),
        lambda name: f"{name.replace('-', ' ').title()} (Production)",
        lambda name: f"[prod] {name}",
    ),
    "github": (str, lambda name: f"{name}-service", lambda name: f"svc-{name}", lambda name: name.replace("-", "_")),
    "kubernetes": (str, lambda name: f"{name}-main", lambda name: f"k8s-{name}"),
    "statuspage": (lambda name: name.replace("-", " ").title(), str),
    "pipeline": (str, lambda name: name.replace("-", "."), lambda name: name.upper()),
    "console": (str,),
    "notes": (str, lambda name: name.replace("-", "_")),
}
_ODD_ONES = 0.06
"""So many names follow no habit of their tool: they are older than the service's present name."""

FIRST = ("Ana", "Ben", "Chidi", "Dana", "Emil", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena", "Mei")
LAST = ("Abara", "Brandt", "Castel", "Doyle", "Eriksen", "Fontaine", "Gupta", "Horvat", "Ito", "Jansen", "Klein")


class SpeltPerson(msgspec.Struct, frozen=True):
    """One human being under the names of the tools: their login, e-mail, and the ids that tools make up."""

    name: str
    login: str
    email: str
    paging: str
    chat: str
    team: str


def spellings(random: Random) -> dict[str, Spelling]:
    """The habits of one organisation, a spelling a tool."""
    return {tool: random.choice(_SPELLINGS[tool]) for tool in TOOLS}


def names_of(name: str, habits: dict[str, Spelling], random: Random) -> dict[str, str]:
    """The name of one service in each tool."""
    found = {tool: habits[tool](name) for tool in TOOLS}
    for tool in ("alertmanager", "github", "pagerduty"):
        if random.random() < _ODD_ONES:
            found[tool] = f"{name}-{random.choice(('v2', 'legacy', 'core'))}"
    return found


def person(number: int, team: str, company: str, random: Random) -> SpeltPerson:
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    round_ = number // (len(FIRST) * len(LAST))
    login = f"{first[0]}{last}".lower() + (str(round_ + 1) if round_ else "")
    made = "".join(random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(12))
    return SpeltPerson(
        name=f"{first} {last}" + (f" {'I' * (round_ + 1)}" if round_ else ""),
        login=f"{login}{number}",
        email=f"{first}.{last}{number}@{company}.example".lower(),
        paging=f"P{made[:6]}",
        chat=f"U0{made[6:]}{number:02}",
        team=team,
    )
