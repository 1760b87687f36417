"""Who acted, from the parts by which tools name people: an id, a display name, an e-mail address.

The id identifies; the name and the address become labels, by which the catalogue knows one person in several tools.
"""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import Actor, ActorKind
from monitor.decode.reading import person_or_bot, text

Named = tuple[Actor | None, dict[str, str | None]]


def who(id: Any, name: Any = None, email: Any = None, kind: ActorKind = "human") -> Named:
    """The actor and its labels. `kind` is what the place in the body means; a name that says bot is automation."""
    address = text(email)
    if address is not None and "@" not in address:
        address = None  # GitLab writes [REDACTED] for everyone: what all share joins strangers to one person
    known = text(id) or address or text(name)
    if known is None:
        return (Actor(kind=kind), {}) if kind == "automation" else (None, {})
    labels = {"actor_name": text(name), "actor_email": address}
    is_bot = any(found.kind == "automation" for found in map(person_or_bot, (known, text(name))) if found)
    return Actor(id=known, kind="automation" if is_bot else kind), labels
