"""Slack: what people write to the app: mentions, messages, slash commands, shortcuts, buttons.

Commands and interactions come as forms. Tokens, response addresses and trigger ids are never kept in an event.
`service=payments env=production` among the words of a message says what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Event
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.bodyforms import form, is_form
from monitor.decode.jsontext import load
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, Moment, digest, first, make, mapping, not_the_shape, sequence, text
from monitor.decode.signatures import SLACK
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_SPOKEN = frozenset({"app_mention", "message"})
_SUBTYPES = frozenset({"thread_broadcast", "file_share", "me_message"})
"""Of messages that a person wrote; the others tell that one was edited, or someone came."""
_INTERACTIONS = frozenset({"block_actions", "message_action", "shortcut", "view_submission", "interactive_message"})
_QUIET = frozenset({"view_closed", "block_suggestion", "dialog_cancellation", "dialog_suggestion"})
_ABOUT = re.compile(r"(?<!\S)(service|svc|env|environment)[=:]([\w./-]{1,120})", re.IGNORECASE)


def parse(body: bytes, headers: Mapping[str, str]) -> Any:
    """JSON, the JSON of a form's field payload, or the fields of a slash command. Raises Unreadable."""
    if not is_form(headers) and not body.lstrip().startswith((b"payload=", b"token=", b"command=")):
        return load(body)
    fields = form(body.strip())
    return load(fields["payload"].encode()) if "payload" in fields else fields


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event. Raises Unreadable."""
    found = mapping(body)
    if not ("event" in found or "command" in found or "type" in found):
        raise not_the_shape("an event callback, an interaction or a slash command of Slack", body)
    return [found]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one body. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    if "command" in body:
        return [_command(body, delivery)]
    type_name = text(body.get("type")) or ""
    if type_name == "event_callback" or isinstance(body.get("event"), dict):
        return [_message(body, mapping(body.get("event")), delivery)]
    if type_name in _INTERACTIONS:
        return [_interaction(body, type_name, delivery)]
    if type_name == "url_verification":
        raise NoEvent(Ignored.HANDSHAKE, "Slack tries the address out")
    reason = Ignored.NOT_RELEVANT if type_name in _QUIET else Ignored.UNKNOWN_TYPE
    raise NoEvent(reason, f"type {type_name!r:.60} is nothing that someone wrote")


def _message(body: Mapping[str, Any], event: Mapping[str, Any], delivery: Delivery) -> Event:
    type_name, subtype = text(event.get("type")) or "", text(event.get("subtype"))
    if type_name not in _SPOKEN:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"event type {type_name!r:.60} is nothing that someone wrote")
    if "bot_id" in event or subtype == "bot_message":
        raise NoEvent(Ignored.NOT_RELEVANT, "a bot wrote it: its tool has a webhook of its own")
    if subtype is not None and subtype not in _SUBTYPES:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{subtype:.60}: nobody wrote anything new")
    stamp = first(event, ("event_ts", "ts"))
    channel = text(event.get("channel"))
    return _note(
        delivery,
        id=text(body.get("event_id")) or f"{channel}/{stamp}",
        at=_at(stamp) or tool_time(body.get("event_time"), "event_time"),
        said=text(event.get("text")),
        by=who(event.get("user")),
        channel=(channel, None),
        thread=first(event, ("thread_ts", "ts")),
    )


def _command(body: Mapping[str, Any], delivery: Delivery) -> Event:
    if body.get("ssl_check") == "1":
        raise NoEvent(Ignored.HANDSHAKE, "Slack tries the address out")
    return _note(
        delivery,
        id=text(body.get("trigger_id")) or digest({name: body[name] for name in body if name != "token"}),
        at=_sent(delivery),
        said=text(body.get("text")),
        by=who(body.get("user_id"), body.get("user_name")),
        channel=(text(body.get("channel_id")), text(body.get("channel_name"))),
        command=text(body.get("command")),
    )


def _interaction(body: Mapping[str, Any], type_name: str, delivery: Delivery) -> Event:
    user, message = mapping(body.get("user")), mapping(body.get("message"))
    action = mapping(next(iter(sequence(body.get("actions"))), None))
    channel = mapping(body.get("channel"))
    stamp = first(action, ("action_ts",)) or text(body.get("action_ts"))
    callback = first(body, ("callback_id",)) or text(mapping(body.get("view")).get("callback_id"))
    words = text(message.get("text")) or _typed(body) or _label(action) or callback
    parts = (stamp or text(body.get("trigger_id")), text(user.get("id")), text(action.get("action_id")))
    identity = "/".join(filter(None, parts))
    if not identity:
        raise Unreadable(Rejected.MISSING_FIELD, "an interaction without action_ts, trigger_id and user")
    return _note(
        delivery,
        id=identity,
        at=_at(stamp) or _sent(delivery),
        said=words,
        by=who(user.get("id"), first(user, ("username", "name"))),
        channel=(text(channel.get("id")), text(channel.get("name"))),
        thread=first(message, ("thread_ts", "ts")) or text(mapping(body.get("container")).get("message_ts")),
        command=callback or text(action.get("action_id")) or type_name,
    )


def _note(
    delivery: Delivery,
    *,
    id: str,
    at: Moment | None,
    said: str | None,
    by: Named,
    channel: tuple[str | None, str | None],
    thread: str | None = None,
    command: str | None = None,
) -> Event:
    actor, labels = by
    about = {name.lower(): value for name, value in _ABOUT.findall(said or "")}
    return make(
        delivery,
        id=id,
        kind="note.added",
        time=at,
        service=about.get("service") or about.get("svc"),
        environment=about.get("environment") or about.get("env"),
        subject="/".join(filter(None, ("slack", channel[0], thread))),
        title=(said or command or "").partition("\n")[0] or None,
        actor=actor,
        labels={**labels, "text": said, "channel": channel[0], "channel_name": channel[1], "command": command},
    )


def _typed(body: Mapping[str, Any]) -> str | None:
    """What someone typed into the fields of a form."""
    values = mapping(mapping(mapping(body.get("view")).get("state")).get("values"))
    found = [text(mapping(one).get("value")) for block in values.values() for one in mapping(block).values()]
    return " ".join(filter(None, found)) or None


def _label(action: Mapping[str, Any]) -> str | None:
    return text(mapping(action.get("text")).get("text")) or first(action, ("value", "action_id"))


def _at(stamp: str | None) -> Moment | None:
    return tool_time(stamp, "ts") if stamp and re.fullmatch(r"\d{9,11}(?:\.\d{1,9})?", stamp, re.ASCII) else None


def _sent(delivery: Delivery) -> Moment | None:
    return _at(delivery.headers.get("x-slack-request-timestamp"))


_SAMPLE = """{"type": "event_callback", "event_id": "Ev111", "event_time": 1773144000, "event": {"type": "app_mention",
 "user": "U222", "text": "<@U111> odd: the queue is stuck service=payments", "ts": "1773144000.009600",
 "channel": "C111", "event_ts": "1773144000.009600"}}"""

_SETUP = """
Create an app at *api.slack.com/apps → Create New App → From a manifest* with this manifest, install it, set its signing
secret as `NEARMISS_SECRETS__SLACK`, and invite it into the channels where people talk about running systems.

```yaml
display_information: {name: nearmiss}
features:
  bot_user: {display_name: nearmiss}
  slash_commands: [{command: /odd, description: "Something looks odd", url: "https://nearmiss.example/ingest/slack"}]
  shortcuts: [{name: This is odd, type: message, callback_id: odd, description: "Keep this as an observation"}]
oauth_config: {scopes: {bot: [app_mentions:read, commands]}}
settings:
  event_subscriptions: {request_url: "https://nearmiss.example/ingest/slack", bot_events: [app_mention]}
  interactivity: {is_enabled: true, request_url: "https://nearmiss.example/ingest/slack"}
```
"""

TOOL = Tool(
    name="slack",
    title="Slack",
    tells="what people say they saw",
    kinds=("note.added",),
    sample=Sample(_SAMPLE, ("note.added",)),
    setup=_SETUP,
    limits=(
        "A note names a service only where its words do: `service=payments`.",
        "Posts of bots are left out: their tools have webhooks of their own.",
    ),
    scheme=SLACK,
    split=split,
    read=read,
    parse=parse,
)
