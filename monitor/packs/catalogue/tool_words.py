"""What tools call services, environments, severities and people, as a catalogue says it; who is named twice.

Reads the sections `aliases` of a service, `environments` and `severities`; must not know what becomes of the words.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import convert

from monitor.core.model.catalogue import Alias, AliasBy, ImpactAlert, ImpactNotes, PersonId
from monitor.core.model.events import SEVERITIES, Severity
from monitor.core.model.words import plain
from monitor.located.form import Form, name_of, text_of
from monitor.located.nodes import Listing, Mapping, Node, Scalar
from monitor.located.problems import Place, Problems, listed, meant

ALIAS_KEYS = (
    "names", "sources", "repositories", "workloads", "namespaces", "hosts", "labels", "titles",
)  # fmt: skip
_BY: dict[str, AliasBy] = {
    "names": "name",
    "repositories": "repository",
    "workloads": "workload",
    "namespaces": "namespace",
    "hosts": "host",
    "titles": "title",
}
_PAIRS: tuple[tuple[str, AliasBy, str], ...] = (
    ("sources", "source", "{pagerduty: [Payments]}"),
    ("labels", "label", "{team: pay}"),
)
_SAMPLES = {
    "names": "[payments-api]",
    "repositories": "[acme/payments]",
    "workloads": "[payments-web]",
    "namespaces": "[pay]",
    "hosts": '["pay-*.shop.example"]',
    "titles": '["*payments*"]',
}
ANY_SOURCE = "any"
_Key = tuple[str, str, str]


class CatalogueWords:
    """The words of all files, each for one thing."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._aliases: dict[_Key, tuple[Alias, Place]] = {}
        self._suggested: dict[_Key, set[Alias]] = {}
        self._environments: dict[str, tuple[str, str, Place]] = {}
        self._severities: dict[str, tuple[str, Severity, Place]] = {}
        self._people: dict[tuple[str, str], tuple[PersonId, Place]] = {}
        self._impact: dict[tuple[str, str], tuple[ImpactAlert, Place]] = {}
        self.impact_notes = ImpactNotes()

    # -- services ----------------------------------------------------------------------------------------------

    def read_aliases(self, service: str, node: Node) -> None:
        """The other names of a service: a list of names, or a mapping by where the name stands."""
        if not isinstance(node, Mapping):
            for item in node.items if isinstance(node, Listing) else [node]:
                self.alias(Alias(service, "name", _text(item, self._problems, "names")), item.place)
            return
        form = Form(node, self._problems, f"the aliases of {service!r}", ALIAS_KEYS)
        for key, by in _BY.items():
            for item in form.several(key):
                self.alias(Alias(service, by, _text(item, self._problems, key)), item.place)
        for key, by, sample in _PAIRS:
            for of, item in self._pairs(form, key, sample):
                self.alias(Alias(service, by, _text(item, self._problems, key), of), item.place)

    def _pairs(self, form: Form, key: str, sample: str) -> Iterable[tuple[str, Node]]:
        written = form.get(key)
        if written is None:
            return
        if not isinstance(written, Mapping):
            expected = "a mapping from a source or a label to names"
            self._problems.error(written.place, f"{key} is {name_of(written)}", expected, f"`{key}: {sample}`")
            return
        for of, (_, value) in written.entries.items():
            for item in value.items if isinstance(value, Listing) else [value]:
                yield of, item

    def alias(self, alias: Alias, place: Place) -> None:
        """Another name of a service; the same one of another service is an error."""
        if not alias.value:
            return
        key = (alias.by, alias.of or "", plain(alias.value))
        first, where = self._aliases.setdefault(key, (alias, place))
        if first.service != alias.service:
            message = f"{alias.value!r} is an alias of {alias.service!r} and of {first.service!r} (first in {where})"
            self._problems.error(place, message, "each alias for one service", "removing one of them")

    def suggest(self, alias: Alias) -> None:
        """What another tool's description says: it counts where one service alone has it and nobody says otherwise."""
        key = (alias.by, alias.of or "", plain(alias.value))
        self._suggested.setdefault(key, set()).add(alias)

    def aliases(self, services: Iterable[str]) -> tuple[Alias, ...]:
        """All of them, in an order of their own. One that is itself a service is a problem."""
        known = {plain(name): name for name in services}
        by_name = {key[2]: alias.service for key, (alias, _) in self._aliases.items() if key[0] == "name"}
        for (by, _, spelt), (alias, place) in self._aliases.items():
            other = known.get(spelt)
            if by != "name" or other is None or other == alias.service:
                continue
            back = by_name.get(plain(alias.service))
            if back == other:
                message = f"{alias.service!r} and {other!r} are aliases of each other"
            else:
                message = f"{alias.value!r} is an alias of {alias.service!r} and is a service itself"
            hint = "removing the alias, or the service that has the same name"
            self._problems.error(place, message, "a name that no other service has", hint)
        sure = {key: next(iter(found)) for key, found in self._suggested.items() if len(found) == 1}
        taken = {key: alias for key, (alias, _) in self._aliases.items()}
        return tuple(alias for _, alias in sorted({**sure, **taken}.items()))

    # -- environments and severities ---------------------------------------------------------------------------

    def read_environments(self, node: Node) -> None:
        """Words by the environment that they mean."""
        sample = "`environments: {production: [blue, green], staging: [perf]}`"
        for _, meaning, item in self._meanings(node, "environments", "an environment", sample):
            word = text_of(item, self._problems, "environments", "the name of an environment", sample)
            if word is None or word == meaning:
                continue
            first = self._environments.setdefault(plain(word), (word, meaning, item.place))
            if first[1] != meaning:
                message = f"environment {word!r} means {meaning!r} and {first[1]!r} (first in {first[2]})"
                self._problems.error(item.place, message, "one meaning for each word", "removing one of them")

    def environments(self) -> dict[str, str]:
        for spelt, (word, meaning, place) in self._environments.items():
            further = self._environments.get(plain(meaning))
            if further is not None and plain(meaning) != spelt:
                loops = plain(further[1]) == spelt
                message = f"environment {word!r} means {meaning!r}, which means {further[1]!r}" + (
                    ": a loop" if loops else ""
                )
                self._problems.error(place, message, "a meaning that is final", f"listing it under {further[1]!r}")
        return {word: meaning for word, meaning, _ in sorted(self._environments.values())}

    def read_severities(self, node: Node) -> None:
        """Words by the severity that they mean."""
        sample = "`severities: {critical: [tsunami], warning: [drizzle]}`"
        for key, meaning, item in self._meanings(node, "severities", "a severity", sample):
            word = text_of(item, self._problems, "severities", "a word that tools send", sample)
            if meaning not in SEVERITIES:
                message = f"there is no severity {meaning!r}"
                self._problems.error(
                    key.place, message, f"one of {listed(SEVERITIES)}", meant(meaning, SEVERITIES, sample)
                )
            elif word is not None:
                self._severity(word, convert(meaning, Severity), item.place)

    def _severity(self, word: str, grade: Severity, place: Place) -> None:
        _, first, where = self._severities.setdefault(plain(word), (word, grade, place))
        if first != grade:
            message = f"severity {word!r} means {grade!r} and {first!r} (first in {where})"
            self._problems.error(place, message, "one meaning for each word", "removing one of them")

    def severities(self) -> dict[str, Severity]:
        found = sorted((word, grade) for word, grade, _ in self._severities.values())
        return dict(found)

    # -- people ------------------------------------------------------------------------------------------------

    def read_people(self, node: Node) -> None:
        """Ids by person; with a source where only this one uses them."""
        sample = "`people: {ann: {any: [ann@shop.example], pagerduty: PX1ABCD}}`"
        if not isinstance(node, Mapping):
            expected = "a mapping from a person to the ids that tools use"
            self._problems.error(node.place, f"people is {name_of(node)}", expected, sample)
            return
        for person, (_, value) in node.entries.items():
            sources = value.entries if isinstance(value, Mapping) else {ANY_SOURCE: (value, value)}
            for source, (_, ids) in sources.items():
                for item in ids.items if isinstance(ids, Listing) else [ids]:
                    said = text_of(item, self._problems, f"an id of {person!r}", "an id, e-mail, login or name", sample)
                    if said is not None:
                        self._person(PersonId(person, said, None if source == ANY_SOURCE else source), item.place)

    def _person(self, one: PersonId, place: Place) -> None:
        first, where = self._people.setdefault((one.source or "", one.id.casefold()), (one, place))
        if first.person != one.person:
            message = f"{one.id!r} is {one.person!r} and {first.person!r} (first in {where})"
            self._problems.error(place, message, "each id for one person", "removing one of them")

    def people(self) -> tuple[PersonId, ...]:
        return tuple(one for one, _ in sorted(self._people.values(), key=lambda each: repr(each[0])))

    # -- alerts that say that users are hurt -------------------------------------------------------------------

    def read_impact_alert(self, node: Node) -> None:
        """A name, labels or both; `users: false` where the alert never means harm."""
        form = Form(node, self._problems, "an impact alert", ("alert", "labels", "users"))
        written = form.get("labels")
        pairs = {
            label: _text(item, self._problems, "labels") for label, item in self._pairs(form, "labels", "{tier: user}")
        }
        alert = form.text("alert", "the name of an alert", "CheckoutErrors") or None
        if alert is None and not pairs:
            if isinstance(node, Mapping) and written is None:
                form.missing("alert", "the name of an alert, or labels", "CheckoutErrors")
            return
        mark = ImpactAlert(alert, pairs, form.flag("users", True))
        key = (plain(alert or ""), repr(sorted(pairs.items())))
        first, where = self._impact.setdefault(key, (mark, node.place))
        if first.users != mark.users:
            message = f"this alert means harm to users and no harm (first in {where})"
            self._problems.error(node.place, message, "one meaning for each alert", "removing one of them")

    def impact_alerts(self) -> tuple[ImpactAlert, ...]:
        """The more labels one names, the earlier it is asked."""
        marks = [mark for mark, _ in self._impact.values()]
        return tuple(sorted(marks, key=lambda mark: (-len(mark.labels), mark.alert is None, repr(mark))))

    def read_impact_notes(self, node: Node) -> None:
        """Words beside the common ones; those of several files add up, and one `read: false` is enough."""
        form = Form(node, self._problems, "impact_notes", ("users", "harmed", "spared", "read"))
        found = self.impact_notes
        self.impact_notes = ImpactNotes(
            users=_added(
                found.users, form.texts("users", "what those are called who use the services", "[ward staff]")
            ),
            harmed=_added(found.harmed, form.texts("harmed", "what goes wrong for them", "[paper forms]")),
            spared=_added(found.spared, form.texts("spared", "what is not for users", "[sandbox]")),
            read=found.read and form.flag("read", True),
        )

    def _meanings(self, node: Node, what: str, of: str, sample: str) -> Iterable[tuple[Scalar, str, Node]]:
        if not isinstance(node, Mapping):
            expected = f"a mapping from {of} to the words that mean it"
            self._problems.error(node.place, f"{what} is {name_of(node)}", expected, sample)
            return
        for meaning, (key, value) in node.entries.items():
            for item in value.items if isinstance(value, Listing) else [value]:
                yield key, meaning, item


def _added(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))


def _text(node: Node, problems: Problems, key: str) -> str:
    hint = f"`{key}: {_SAMPLES.get(key, '[payments]')}`"
    return text_of(node, problems, key, "a name that a tool uses", hint) or ""
