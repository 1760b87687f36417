"""Words for severity and environment, as tools and people spell them, in the words that rules use.

The tables hold what is common; an organisation extends them in its catalogue. A word that no table has is unknown: it
becomes nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from monitor.core.model.events import Event, Severity

_SEPARATORS = re.compile(r"[\s_\-./:]+")
_NUMBERED = re.compile(r"(?:p|prio|priority|sev|severity|s|level)?0*([0-5])")

SEVERITIES: dict[str, Severity] = {
    **dict.fromkeys(("critical", "crit", "page", "paging", "fatal", "emergency", "emerg", "disaster"), "critical"),
    **dict.fromkeys(("blocker", "catastrophic", "urgent", "highest", "red"), "critical"),
    **dict.fromkeys(("high", "error", "err", "major", "severe", "important", "orange"), "high"),
    **dict.fromkeys(("warning", "warn", "medium", "moderate", "minor", "average"), "warning"),
    **dict.fromkeys(("ticket", "yellow", "amber", "attention"), "warning"),
    **dict.fromkeys(("info", "informational", "information", "low", "lowest", "notice", "debug"), "info"),
    **dict.fromkeys(("none", "trivial", "green", "blue"), "info"),
}
"""Plain words, normalised by `plain`."""
_BY_NUMBER: tuple[Severity, ...] = ("critical", "critical", "high", "warning", "info", "info")
"""`P0` to `P5`, `SEV-1`, `sev_2` or a bare number: the smaller, the graver."""


def plain(word: str) -> str:
    """A word without case and separators: `Sev-1`, `SEV_1` and `sev 1` are the same."""
    return _SEPARATORS.sub("", word.casefold())


def severity_of(word: str, own: Mapping[str, Severity] | None = None) -> Severity | None:
    """One of our four for a word; None for a word that nobody explained. `own`: an organisation's, by plain word."""
    spelt = plain(word)
    found = (own or {}).get(spelt) or SEVERITIES.get(spelt)
    if found is None and (numbered := _NUMBERED.fullmatch(spelt)):
        found = _BY_NUMBER[int(numbered[1])]
    if found is not None:
        return found
    parts = [part for part in _SEPARATORS.split(word.casefold().replace("(", " ").replace(")", " ")) if part]
    # "P2 - High" and "critical (SEV1)" say the same twice; the first word that is known counts.
    return severity_of(parts[0], own) if len(parts) > 1 else None


_SYNONYMS: dict[str, str] = {
    **dict.fromkeys(("prod", "prd", "live", "production"), "production"),
    **dict.fromkeys(("stg", "stage", "stag", "staging", "homolog", "homologacao", "homologação"), "staging"),
    **dict.fromkeys(("dev", "devel", "develop", "development", "entwicklung", "desarrollo"), "development"),
    **dict.fromkeys(("tst", "test", "testing"), "test"),
    **dict.fromkeys(("preprod", "preproduction", "preprd"), "preproduction"),
    **dict.fromkeys(("nonprod", "nonproduction", "nonprd"), "nonproduction"),
    **dict.fromkeys(("uat", "acceptance", "acceptatie", "recette", "abnahme", "preproduccion"), "uat"),
    **dict.fromkeys(("perf", "performance", "loadtest"), "performance"),
    **dict.fromkeys(("int", "integration"), "integration"),
}
_NOT_PRODUCTION = frozenset(
    {"staging", "development", "test", "preproduction", "nonproduction", "uat", "performance", "integration"}
    | {
        "qa",
        "ci",
        "e2e",
        "local",
        "localhost",
        "sandbox",
        "playground",
        "preview",
        "review",
        "ephemeral",
        "lab",
        "demo",
    }
)
_LIVE = ("production", "prod", "prd", "live")
"""Words for production inside a house's own name of it, the longer ones first."""
_JOINED = re.compile(r"\b(pre|non|not)[\s_\-./]+(prod|prd|production)\b")
_PART = re.compile(r"([a-z]+)\d*")


def environment_of(word: str) -> str:
    """An environment in common words: `prd-eu` is `production-eu`, `stg` is `staging`; other words stay as they are."""
    parts = _parts(word)
    known = [_common(part) for part in parts]
    if not any(known):
        return word
    return "-".join(common or part for common, part in zip(known, parts, strict=True))


def _parts(word: str) -> list[str]:
    joined = _JOINED.sub(lambda found: ("non" if found[1] == "not" else found[1]) + found[2], word.casefold().strip())
    return [part for part in _SEPARATORS.split(joined) if part]


def _common(part: str) -> str | None:
    """The common word for one part; `prod1` and `stage02` are numbered ones of their kind."""
    found = _SYNONYMS.get(part) or (part if part in _NOT_PRODUCTION else None)
    if found is None and (numbered := _PART.fullmatch(part)):
        found = _SYNONYMS.get(numbered[1]) or (part if numbered[1] in _NOT_PRODUCTION else None)
    return found


def names_environment(word: str) -> bool:
    """Whether a word says where something runs and nothing else, such as `prod`, `stage02` or `pre-production`."""
    parts = _parts(word)
    return bool(parts) and all(map(_common, parts))


@lru_cache(maxsize=1024)
def is_elsewhere(environment: str) -> bool:
    """Whether a word says that no users are there, such as `staging`, `qa` or `dev-3`."""
    parts = environment_of(environment).split("-")
    return any(part in _NOT_PRODUCTION or part.rstrip("0123456789") in _NOT_PRODUCTION for part in parts)


def _is_production(environment: str) -> bool:
    return "production" in environment_of(environment).split("-") and not is_elsewhere(environment)


def is_named_elsewhere(environment: str, production: Collection[str], own: Mapping[str, str]) -> bool:
    """Whether a resolved environment is known to have no users: by its word, or by the organisation's own tables."""
    if environment in production:
        return False
    named = environment in own.values() and not _is_production(environment)
    return named or is_elsewhere(environment) or any(_is_built_like(environment, name) for name in production)


def _is_built_like(environment: str, production: str) -> bool:
    """Whether it is the house's own name of production with another word in it: `gstg` beside `gprd`."""
    word, name = environment.casefold(), production.casefold()
    for live in _LIVE:
        before, found, behind = name.partition(live)
        if found and word.startswith(before) and word.endswith(behind) and len(word) > len(before) + len(behind):
            middle = word[len(before) : len(word) - len(behind)]
            return _SYNONYMS.get(middle, middle) in _NOT_PRODUCTION
    return False


class Environments:
    """The environments of an organisation: those that count, and words of its own for any."""

    def __init__(self, production: Collection[str], own: Mapping[str, str]) -> None:
        """`own`: what a word means, as the catalogue says."""
        self._own: dict[str, str] = {}
        self._exact = frozenset(production) | {name for name in own.values() if not _is_production(name)}
        by_common: dict[str, set[str]] = {}
        for name in self._exact:
            by_common.setdefault(environment_of(name), set()).add(name)
        self._by_common = {common: next(iter(names)) for common, names in by_common.items() if len(names) == 1}
        self._own = {plain(word): self.resolve(meant) for word, meant in own.items()}

    def resolve(self, word: str) -> str:
        """The environment that a word means: the catalogue's name for it, else the common word, else as it is."""
        if (meant := self._own.get(plain(word))) is not None:
            return meant
        if word in self._exact:
            return word
        common = environment_of(word)
        if (known := self._by_common.get(common)) is not None:
            return known
        if _is_production(common):
            # Production somewhere: where the catalogue names one production only, it is that.
            return self._by_common.get("production", common)
        return common


def own_words(event: Event) -> str:
    """What a person wrote: of a comment its text, since its title may be that of the thing it stands under.

    Of anything else the title: what a tool sends as text beside it is the alert's description, or its whole body.
    """
    text = event.labels.get("text")
    return text if text and "about" in event.labels else event.title or text or ""
