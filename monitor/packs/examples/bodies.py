"""Bodies of an example, as tools send them → events through the decoders; `{at}` in a body is the time it says.

Reads located YAML. What a body means is its decoder's to say.
"""

from __future__ import annotations

import re

import msgspec

from monitor.core.model.events import Event, Instant, to_text
from monitor.decode.registry import SOURCES, canonical_source, decode
from monitor.decode.streams import BASE_AT
from monitor.decode.times import read_time
from monitor.located.form import DURATION_HELP, Form, duration, name_of
from monitor.located.nodes import Listing, Mapping, Node, Plain, plain
from monitor.located.problems import Problems, nearest
from monitor.packs.language.keys import BODY, names

SAMPLE = "{at: +5m, source: alertmanager, body: {alerts: […]}}"
_TIME = re.compile(r"\{at(?:([+-])(\w+))?\}")


def read_bodies(node: Node | None, problems: Problems) -> list[Event]:
    """The events of all bodies; every problem of a body where it stands."""
    if node is None:
        return []
    if not isinstance(node, Listing) or not node.items:
        problems.error(node.place, f"bodies is {name_of(node)}", "a list with at least one body", f"`[{SAMPLE}]`")
        return []
    found: list[Event] = []
    for item in node.items:
        found += _events(item, problems)
    return found


def _events(node: Node, problems: Problems) -> list[Event]:
    form = Form(node, problems, "a body", names(BODY))
    if not isinstance(node, Mapping):
        return []
    told = form.text("at", "when it is sent, from the beginning of the example", "+5m", required=True)
    after = duration(told.removeprefix("+"))
    source = form.text("source", "the tool", "alertmanager", required=True)
    body = form.get("body")
    if body is None:
        form.missing("body", "what the tool sends", "{alerts: […]}")
    if after is None and told:
        problems.error(form.place_of("at"), f"at is {told!r}", DURATION_HELP, "+5m")
    if source and canonical_source(source) is None:
        known = nearest(source, SOURCES) or "alertmanager"
        problems.error(form.place_of("source"), f"nothing reads {source!r}", "a tool of `nearmiss decode`", known)
        return []
    if after is None or body is None or not source:
        return []
    at = Instant(read_time(BASE_AT, "time")[0] + after)
    headers = form.get("headers")
    said = plain(headers) if headers is not None else {}
    lines = {str(name): str(value) for name, value in said.items()} if isinstance(said, dict) else {}
    outcome = decode(source, _bytes(plain(body), at), lines, at)
    for refusal in outcome.refusals:
        problems.error(body.place, f"{source} refuses it: {refusal.detail}", "a body as the tool sends it", "fixing it")
    if not outcome.events and not outcome.refusals:
        skipped = "; ".join(each.detail for each in outcome.skipped) or "nothing in it"
        problems.error(body.place, f"{source} gives no event: {skipped}", "a body that gives one", "another body")
    return [msgspec.structs.replace(event, received_at=at) for event in outcome.events]


def _bytes(body: Plain, at: Instant) -> bytes:
    """The body with its times filled in: `{at}`, `{at-5m}`, `{at+1h}`."""
    if isinstance(body, str):
        return _filled(body, at).encode()
    return msgspec.json.encode(_with_times(body, at))


def _with_times(value: Plain, at: Instant) -> Plain:
    if isinstance(value, dict):
        return {key: _with_times(inner, at) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_times(inner, at) for inner in value]
    return _filled(value, at) if isinstance(value, str) else value


def _filled(text: str, at: Instant) -> str:
    def moment(match: re.Match[str]) -> str:
        shift = duration(match[2]) if match[2] else 0
        if shift is None:
            return match[0]
        return to_text(Instant(at - shift if match[1] == "-" else at + shift)) or ""

    return _TIME.sub(moment, text)
