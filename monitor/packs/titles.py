"""The placeholders that a rule's title may use. What they become is the engine's business."""

from __future__ import annotations

from string import Formatter

from monitor.core.conditions import EVENT_FIELDS
from monitor.packs.problems import Place, Problems, nearest

LONGEST_TITLE = 200
WHOLE: frozenset[str] = frozenset({"service", "elapsed", "margin"})
PARTS: frozenset[str] = frozenset({"hazard", "intervention"})
FIELDS: frozenset[str] = EVENT_FIELDS | {"kind_words"}
"""`kind_words` is the kind as a person says it: "rolled back"."""


def known_placeholders() -> frozenset[str]:
    return WHOLE | {f"{part}.{field}" for part in PARTS for field in FIELDS}


def is_known(placeholder: str) -> bool:
    part, _, field = placeholder.partition(".")
    is_label = part in PARTS and field.startswith("labels.") and len(field) > len("labels.")
    return placeholder in WHOLE or is_label or (part in PARTS and field in FIELDS)


def check_title(title: str, place: Place, problems: Problems) -> None:
    """Every placeholder of a title must be known, and a title must not be longer than a line of a queue."""
    if len(title) > LONGEST_TITLE:
        problems.error(place, f"the title has {len(title)} characters", f"at most {LONGEST_TITLE}")
    try:
        parts = list(Formatter().parse(title))
    except ValueError as error:
        problems.error(place, f"the title's braces do not match: {error}", "placeholders such as {service}")
        return
    for _, placeholder, spec, conversion in parts:
        if placeholder is None:
            continue
        if spec or conversion:
            problems.error(place, f"{{{placeholder}…}} has a format of its own", f"{{{placeholder}}}")
        elif not is_known(placeholder):
            close = nearest(placeholder, known_placeholders())
            expected = "service, elapsed, margin, hazard.<field> or intervention.<field>"
            hint = f"{{{close}}}" if close else ""
            problems.error(place, f"the title has no placeholder {{{placeholder}}}", expected, hint)
