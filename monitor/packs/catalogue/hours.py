"""Operating hours as people write them, in a mapping or on one line → hours of the core.

hours: {zone: Europe/Berlin, opens: "08:00", closes: "18:00", days: [mon, tue]}
mon-fri 08:00-18:00 Europe/Berlin
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from monitor.core.model.catalogue import Hours
from monitor.located.form import Form
from monitor.located.nodes import Mapping, Node
from monitor.located.problems import Place, Problems, meant

LINE_SAMPLE = "`mon-fri 08:00-18:00 Europe/Berlin`"
_ZONE_HELP = "an IANA time zone such as Europe/Berlin"
DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)}
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")


def hours_of_mapping(node: Node, problems: Problems) -> Hours | None:
    """Hours from a mapping with `zone`, `opens`, `closes` and, if not Monday to Friday, `days`."""
    form = Form(node, problems, "hours", ("zone", "opens", "closes", "days"))
    zone = form.text("zone", _ZONE_HELP, "Europe/Berlin", required=isinstance(node, Mapping))
    if zone:
        _check_zone(zone, form.place_of("zone"), problems)
    opens, closes = _minute_of(form, "opens", "08:00"), _minute_of(form, "closes", "18:00")
    if not form.has("days"):
        return Hours(zone, opens, closes)
    days = frozenset(
        DAYS[word] for word in form.choices("days", DAYS, "days such as mon or sat", "[mon, tue, wed, thu, fri]")
    )
    return Hours(zone, opens, closes, days)


def hours_of_line(text: str, place: Place, problems: Problems) -> Hours | None:
    """Hours from one line: days (Monday to Friday where none are given), a span of the day, a time zone."""
    words = text.split()
    days = Hours("", 0, 0).days if len(words) == 2 else _days(words[0]) if len(words) == 3 else None
    if days is None:
        problems.error(place, f"hours are {text!r}", "days, a span of the day and a time zone", LINE_SAMPLE)
        return None
    span, zone = words[-2], words[-1]
    opens, closes = (_minute(part) for part in (*span.partition("-")[::2],))
    if opens is None or closes is None:
        problems.error(place, f"hours open from {span!r}", 'a span of the day such as "08:00-18:00"', LINE_SAMPLE)
        return None
    return Hours(zone, opens, closes, days) if _check_zone(zone, place, problems) else None


def _days(text: str) -> frozenset[int] | None:
    """Days from `mon-fri`, `sat` or `mon,wed,sat-sun`; a span may go round the end of the week."""
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        start, end = DAYS.get(first), DAYS.get(last or first)
        if start is None or end is None:
            return None
        found.update((start + step - 1) % 7 + 1 for step in range((end - start) % 7 + 1))
    return frozenset(found)


def _check_zone(zone: str, place: Place, problems: Problems) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = meant(zone, available_timezones(), "'Europe/Berlin', or 'UTC'")
        problems.error(place, f"no time zone {zone!r}", _ZONE_HELP, hint)
        return False
    return True


def _minute(text: str) -> int | None:
    """The minute of the day of `08:30`; None where the text is no time of day."""
    found = _CLOCK.match(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    return minute if 0 <= minute <= 24 * 60 else None


def _minute_of(form: Form, key: str, sample: str) -> int:
    text = form.text(key, 'a time of day such as "08:30"', f'"{sample}"', required=True)
    minute = _minute(text)
    if text and minute is None:
        expected = 'a time of day between "00:00" and "24:00"'
        form.problems.error(form.place_of(key), f"{key} is {text!r}", expected, f'`{key}: "{sample}"`')
    return minute or 0
