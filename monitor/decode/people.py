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
    known = text(id) or text(email) or text(name)
    if known is None:
        return (Actor(kind=kind), {}) if kind == "automation" else (None, {})
    labels = {"actor_name": text(name), "actor_email": text(email)}
    is_bot = any(found.kind == "automation" for found in map(person_or_bot, (known, text(name))) if found)
    return Actor(id=known, kind="automation" if is_bot else kind), labels
