"""Conventions by which an alert says that users are hurt: budgets that burn, checks that fail, requests refused.

Of SLO and synthetic tools that people use. A slow burn and a ticket are signs only.
"""

from __future__ import annotations

import re

from monitor.core.model.events import Event
from monitor.core.resolving.claims import claims_harm, is_sure

_SLO_LABELS = frozenset(
    {"sloth_slo", "sloth_id", "sloth_service", "grafana_slo_uuid", "grafana_slo_severity", "slo", "slo_name", "slo_id"}
    | {"openslo_slo", "nobl9_slo", "exhaustion", "burnrate", "burn_rate"}
)
_BURN_LABELS = frozenset({"sloth_severity", "grafana_slo_severity", "burnrate", "burn_rate"})
"""Labels that only alerts on a burning budget have."""
_SPEED_LABELS = ("sloth_severity", "grafana_slo_severity", "burn_rate", "burnrate", "severity")
_WINDOW_LABELS = ("long", "long_window", "longwindow", "window")
_NAME_LABELS = ("alertname", "rulename", "monitor_name", "check_name")
_BURNS = re.compile(
    r"(?:error.?)?budget.{0,20}burn|burn.?rate|slo.{0,24}burn|budget.?exhaust"
    r"|exhaust(?:ion|ed) (?:in|within) \d+ ?(?:h|hours?|m|min\w*)\b",
    re.IGNORECASE,
)
_FAST = re.compile(r"\b(?:page|fast|critical|very.?high|high)\b", re.IGNORECASE)
_SLOW = re.compile(r"\b(?:ticket|slow|warn(?:ing)?|low|info)\b", re.IGNORECASE)
_SLOWLY = re.compile(r"slow.{0,4}burn|burn.{0,24}slow", re.IGNORECASE)
"""In a name it counts before any label: teams page on slow burns too."""
_HOURS = re.compile(r"(\d+)(m|h|d)")
_FAST_WINDOW = {"m": 60, "h": 6, "d": 0}
"""A window of more than six hours shows a slow burn."""

_CHECKERS = frozenset(
    {"pingdom", "uptimerobot", "statuscake", "checkly", "betteruptime", "betterstack", "site24x7", "updown"}
    | {"uptime-kuma", "uptimekuma", "uptime", "synthetics", "synthetic", "thousandeyes", "catchpoint", "freshping"}
)
"""Sources, by the first part of their name, whose alerts are failing checks from outside."""
_CHECK_LABELS = frozenset({"probe", "probe_success", "check_type", "synthetics_test_id", "monitor_url", "canaryname"})
_CHECK = re.compile(r"blackbox|synthetic|probe|uptime.?(?:check|monitor)|http.?check", re.IGNORECASE)
_FAILS = re.compile(r"fail|down|unreach|unavailab|not respond|error|offline|timeout|timed out", re.IGNORECASE)
_DOWN = re.compile(
    r"(?:endpoint|web.?site|\bsite|\burl|home.?page).{0,20}(?:down|unreach|not respond|unavailab|offline|fail)",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"cert|\btls\b|\bssl\b|expir|slow|latenc|liveness|readiness|startup probe|exporter", re.IGNORECASE
)
"""Alerts of the same tools that do not say that a check failed."""
TELLING = _SLO_LABELS | _CHECK_LABELS | {"rulename", "monitor_name", "check_name"}
"""Labels of which one has to be there where the name hints at nothing."""
_ASKED = (
    r"(?:requests?|responses?|calls?|push(?:es)?|log[- ]?ins?|sign[- ]?ins?|checkouts?|payments?|orders?|uploads?|"
    r"downloads?|writes|reads|queries|deliver(?:y|ies)|sessions?|api|http)"
)
_TOO_FEW = r"\W*(?:is )?(?:below|low|drop|under|<)"
_REFUSED = re.compile(
    r"\b5xx|5xx\b|\bhttp ?5\d\d\b"
    r"|\b(?:critical|status|code|errors?|returns?|returning|got|with|gives?)\W{1,3}50[0234]\b"
    r"|(?:error|failure|failed) ?-?(?:rate|ratio|percent)|high ?error"
    rf"|success ?-?(?:rate|ratio){_TOO_FEW}|availability{_TOO_FEW}"
    rf"|\b{_ASKED} (?:are |is )?(?:being )?(?:fail|error|reject|dropp|lost)|\bfail(?:ed|ing) {_ASKED}\b",
    re.IGNORECASE,
)


def hints(source: str, *names: str | None) -> bool:
    """Whether the source or a name is one that alerts of harm have."""
    told = " ".join(name for name in names if name)
    if source.partition("/")[0] in _CHECKERS or claims_harm(told) or says_refused(told):
        return True
    return any(pattern.search(told) for pattern in (_BURNS, _CHECK, _DOWN))


def says_refused(text: str) -> bool:
    """Whether an alert's name says that what users ask for fails: a rate of errors, 5xx, failing logins."""
    return _REFUSED.search(text) is not None and is_sure(text)


def names_of(event: Event) -> list[str]:
    """What an alert is called: its labels for that, then its title."""
    names = [name for label in _NAME_LABELS if (name := event.labels.get(label))]
    return [*names, event.title] if event.title else names


def burning(event: Event, names: list[str]) -> str | None:
    """How an alert says that an error budget burns fast, as `slo: why`; None where it does not."""
    labels = event.labels
    if not any(_BURNS.search(name) for name in names) and _BURN_LABELS.isdisjoint(labels):
        return None
    if any(_SLOWLY.search(name) for name in names):
        return None
    speeds = [(label, said) for label in _SPEED_LABELS if (said := labels.get(label))]
    for label, said in speeds:
        if _SLOW.search(said):
            return None
        if _FAST.search(said):
            return f"slo: fast burn of an error budget (label {label}: {said})"
    if event.severity in ("warning", "info"):
        return None
    for label in _WINDOW_LABELS:
        if window := _HOURS.fullmatch(labels.get(label, "")):
            if int(window[1]) > _FAST_WINDOW[window[2]]:
                return None
            return f"slo: fast burn of an error budget (label {label}: {window[0]})"
    # Nobody says how fast: harm to users must not be missed.
    return "slo: burn of an error budget" + (f" (severity {event.severity})" if event.severity else "")


def failing(event: Event, names: list[str]) -> str | None:
    """How an alert says that a check from outside fails, as `synthetic: why`; None where it does not."""
    labels = event.labels
    told = " ".join(names)
    if _OTHERWISE.search(told) or event.severity == "info":
        return None
    checker = event.source.partition("/")[0]
    if checker in _CHECKERS:
        return f"synthetic: failing check of {checker}"
    measured = not _CHECK_LABELS.isdisjoint(labels) or _CHECK.search(f"{labels.get('job', '')} {told}") is not None
    if (measured and _FAILS.search(told)) or _DOWN.search(told):
        return "synthetic: failing check from outside"
    return None
