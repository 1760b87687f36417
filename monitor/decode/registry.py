"""Which tool reads which source: a body in, events, refusals and omissions out. Never raises.

The source's name up to the first slash picks the tool: `github/acme/checkout` is read as GitHub. Tools are found by
their files in `tools/`; mappings are announced and loaded when needed, and those of the configuration come first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, KeysView, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode import signatures
from monitor.decode.bodyforms import BadLine
from monitor.decode.canonical import decode_regular
from monitor.decode.jsontext import MAX_BODY_BYTES, MAX_GROUP_BYTES, load_group, refuse_twice
from monitor.decode.known import EXPECTED, TOOLS, spellings
from monitor.decode.outcome import DecodeOutcome, Unreadable, defect, gather, left_out, refused
from monitor.decode.reading import Delivery, admitted
from monitor.decode.tool import Tool
from monitor.decode.tools import cloudevents, declared

SOURCES: KeysView[str] = TOOLS.keys()
"""The first part that a source's name may have; a view, which grows when a tool is registered."""

_STANDS_FOR: dict[str, Tool | Callable[[], Tool] | None] = {}
"""What had a name before a tool of the configuration took it; None where nothing had."""


_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@+-]*(/[A-Za-z0-9._~:@+-]+)*")
_LONGEST_SOURCE = 200
LONGEST_HANDSHAKE = 64 * 1024
"""Bytes of a body that is looked at for a question, which is done before anything else."""


def register(tool: Tool) -> None:
    """Adds a tool under its name and aliases, in place of an earlier one of that name.

    A name with `-` has one with `_` too: a variable of the environment can only be called so.
    """
    for name in spellings((tool.name, *tool.aliases)):
        TOOLS[name] = tool


def use_own(own: Sequence[Tool]) -> None:
    """Registers the tools of the configuration; those of the last call go, and what they stood for comes back."""
    wanted: dict[str, Tool | Callable[[], Tool]] = {
        name: tool for tool in own for name in spellings((tool.name, *tool.aliases)) if name not in UNTOUCHABLE
    }
    for name in EXPECTED:
        _STANDS_FOR.setdefault(name, None)
    EXPECTED.clear()
    for name, before in list(_STANDS_FOR.items()):
        if name in wanted:
            continue
        if before is None:
            TOOLS.pop(name, None)
        else:
            TOOLS[name] = before
        del _STANDS_FOR[name]
    for name, tool in wanted.items():
        _STANDS_FOR.setdefault(name, TOOLS.get(name))
        TOOLS[name] = tool


UNTOUCHABLE = frozenset({"canonical", "cloudevents", "events"})
"""The formats of our own, which nothing can replace."""


for _tool in declared():
    register(_tool)


def tools() -> list[Tool]:
    """Every tool once, by title."""
    found = {tool.name: tool for name in list(TOOLS) if (tool := tool_of(name)) is not None}
    return sorted(found.values(), key=lambda tool: tool.title.lower())


def meant_tools(source: str) -> str:
    """What to try in place of a source that nothing reads: the tools that resemble it, else all, each by one name."""
    close = get_close_matches(source.partition("/")[0].casefold(), [name for name in SOURCES if "_" not in name], n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"expected one of {', '.join(sorted(tool.name for tool in tools()))}"


def tool_of(source: str) -> Tool | None:
    name = source.partition("/")[0]
    found = TOOLS.get(name)
    if found is None or isinstance(found, Tool):
        return found
    tool = found()
    for same in (name, *spellings((tool.name, *tool.aliases))):
        if not isinstance(TOOLS.get(same), Tool):
            TOOLS[same] = tool
    return tool


def canonical_source(name: str) -> str | None:
    """The one name of a source: in lower case, with the tool's own name for an alias. None where nothing reads it.

    Guard and decoder both go by it, so that no other spelling passes one of them.
    """
    if len(name) > _LONGEST_SOURCE or _SOURCE.fullmatch(name) is None:
        return None
    first, *account = name.lower().split("/")
    tool = tool_of(first)
    if tool is None or any(part.strip(".") == "" for part in account):
        return None
    return "/".join([tool.name, *account])


def largest_body(source: str) -> int:
    """Bytes that a body of this source may have."""
    tool = tool_of(source)
    return MAX_GROUP_BYTES if tool is not None and tool.group else MAX_BODY_BYTES


def decode(
    source: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    received_at: Instant | None = None,
    allows: Callable[[str], bool] | None = None,
    *,
    quick: bool = False,
) -> DecodeOutcome:
    """Everything that one body of `source` gives. Header names may be in any case.

    An event whose own source `allows` does not hold for is refused; without it the sender may name any. `quick`: what a
    mapping needs more than `QUICK_STEPS` for is refused as `mapping_overrun`, and to be read again without it.

    Whatever happens is in the outcome: a defect of a decoder becomes a refusal `decoder_failed` that keeps the body.
    Raises MemoryError, which is no defect: the same body is read when there is memory again.
    """
    try:
        tool = tool_of(source)
    except Exception as error:  # noqa: BLE001 - a mapping that cannot be loaded must not cost the sender's bytes
        return refused(Rejected.DECODER_FAILED, defect(error), body)
    if tool is None or not source.isprintable():
        return refused(Rejected.UNKNOWN_SOURCE, f"nothing reads {source!r:.80}; {meant_tools(source)}", body)
    return read_as(tool, source, body, headers, received_at, allows, quick=quick)


ENVELOPES = frozenset({"events", "cloudevents", "cdevents"})
"""Tools whose bodies mean nothing without the envelope in the headers; those of others are their own message."""


def read_as(
    tool: Tool,
    source: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    received_at: Instant | None = None,
    allows: Callable[[str], bool] | None = None,
    *,
    quick: bool = False,
) -> DecodeOutcome:
    """As `decode`, by a tool at hand, which need not be registered."""
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    try:
        delivery = Delivery(source, lowered, received_at, allows, quick)
        if cloudevents.is_binary(lowered) and (tool.name in ENVELOPES or cloudevents.is_ours(lowered)):
            tool = cloudevents.TOOL
        return tool.whole(body, delivery) if tool.whole else _decode(tool, body, delivery)
    except Unreadable as error:
        return refused(error.reason, error.detail, body)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the sender's bytes
        return refused(Rejected.DECODER_FAILED, defect(error), body)


def decode_plain(source: str, body: bytes, headers: Mapping[str, str]) -> Event | None:
    """The event of a body that is just one event of our own format; None where `decode` has to be asked.

    Gives the event that `decode` would give. Header names are in lower case.
    """
    if not _is_ours(source) or (headers and cloudevents.is_binary(headers)):
        return None
    return decode_regular(body)


def verify(source: str, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """None where a delivery of `source` is proven by its tool's scheme, else why not; see `signatures.verify`."""
    tool = tool_of(source)
    return signatures.verify(tool.scheme if tool else signatures.TOKEN, secrets, headers, body, now)


def shown_token(source: str, headers: Mapping[str, str]) -> str | None:
    """What a sender shows as the secret itself; None where the tool signs instead. Header names in lower case."""
    tool = tool_of(source)
    if tool is None or tool.scheme is not signatures.TOKEN:
        return None
    return "\n".join(headers.get(name, "") for name in ("authorization", *signatures.TOKEN_HEADERS))


def handshake(source: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str] | None:
    """What the tool wants to hear back before it sends anything; None where the body is no such question."""
    tool = tool_of(source)
    return tool.handshake(body, headers) if tool and len(body) <= LONGEST_HANDSHAKE else None


@lru_cache(maxsize=256)
def _is_ours(source: str) -> bool:
    return source.partition("/")[0] in ("canonical", "events") and source.isprintable()


def _decode(tool: Tool, body: bytes, delivery: Delivery) -> DecodeOutcome:
    if not body.strip():
        return left_out(Ignored.EMPTY, "the body is empty")
    is_large = tool.group and len(body) > MAX_BODY_BYTES
    found = load_group(body, tool.group) if is_large else tool.parse(body, delivery.headers)
    refuse_twice(found, body)
    pieces = tool.split(found, delivery)
    if not pieces:
        return left_out(Ignored.EMPTY, "the body holds nothing")

    def read(piece: object) -> list[Event]:
        if isinstance(piece, BadLine):
            raise piece.error
        return admitted(tool.read(piece, delivery), delivery)

    return gather(pieces, read, lambda _: body, len(body))
