"""Checks the placeholders of a rule's title; the engine fills them in."""

from __future__ import annotations

import re
from string import Formatter

from monitor.core.deciding.headline import PLACEHOLDER, TITLE_FIELDS
from monitor.located.problems import Place, Problems, nearest

LONGEST_TITLE = 200
_LABEL = re.compile(r"(hazard|intervention)\.labels\..")


def is_known(placeholder: str) -> bool:
    """Whether the engine fills it in; labels are open, as far as their name can be written in a title."""
    is_label = _LABEL.match(placeholder) is not None and PLACEHOLDER.fullmatch(f"{{{placeholder}}}") is not None
    return placeholder in TITLE_FIELDS or is_label


def _meant(placeholder: str) -> str:
    """A field of either event that looks like it; what an event has besides those is a label."""
    event, dot, field = placeholder.partition(".")
    if not dot or event not in ("hazard", "intervention"):
        return nearest(placeholder, TITLE_FIELDS) or "what"
    fields = [known.removeprefix(f"{event}.") for known in TITLE_FIELDS if known.startswith(f"{event}.")]
    label = f"{event}.labels.{field}"
    return f"{event}.{close}" if (close := nearest(field, fields)) else label if is_known(label) else f"{event}.title"


def check_title(title: str, place: Place, problems: Problems) -> None:
    """Every placeholder of a title must be known, and a title must not be longer than a line of a queue."""
    if len(title) > LONGEST_TITLE:
        problems.error(
            place, f"the title has {len(title)} characters", f"at most {LONGEST_TITLE}", "the rest under `description:`"
        )
    try:
        parts = list(Formatter().parse(title))
    except ValueError as error:
        problems.error(
            place,
            f"the title's braces do not match: {error}",
            "placeholders such as {service}",
            "{{ and }} for literal braces",
        )
        return
    for _, placeholder, spec, conversion in parts:
        if placeholder is None:
            continue
        if spec or conversion:
            problems.error(place, f"{{{placeholder}…}} has a format of its own", "its name alone", f"{{{placeholder}}}")
        elif not is_known(placeholder):
            expected = "what, service, elapsed, margin, hazard.<field> or intervention.<field>"
            hint = f"{{{_meant(placeholder)}}}"
            problems.error(place, f"the title has no placeholder {{{placeholder}}}", expected, hint)
