"""A small Slack on loopback: keeps messages, checks the shape of what it is sent, and fails as it is told to.

Written by the documented limits of Block Kit and the Web API. Knows nothing of the product.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-1-2-three"
BASE_TS = 1_770_021_000

Answer = tuple[int, dict[str, Any], dict[str, str]]


class Shape(Exception):
    """What was sent is not what Slack takes; the message is Slack's error."""


class FakeSlack(ThreadingHTTPServer):
    """`fail` maps a method to what it answers instead; `lose` posts a message and breaks before it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.views: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []
        self.fail: dict[str, Answer] = {}
        self.lose = False
        self._lock = threading.Lock()
        self._number = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api/"

    @property
    def response_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/respond"

    def posted(self, *, thread: bool | None = None) -> list[dict[str, Any]]:
        """Messages that stand there; only replies, or only those that are none."""
        found = list(self.messages.values())
        return found if thread is None else [each for each in found if bool(each.get("thread_ts")) == thread]

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    def answer(self, method: str, sent: dict[str, Any], kind: str) -> Answer:
        with self._lock:
            self.calls.append((method, sent))
            if method in self.fail:
                return self.fail[method]
            try:
                return 200, {"ok": True, **getattr(self, "_" + method.replace(".", "_").lower())(sent, kind)}, {}
            except Shape as error:
                return 200, {"ok": False, "error": str(error)}, {}

    def _chat_postmessage(self, sent: dict[str, Any], _kind: str) -> dict[str, Any]:
        check_message(sent)
        if (thread := sent.get("thread_ts")) is not None and thread not in self.messages:
            raise Shape("thread_not_found")
        self._number += 1
        ts = f"{BASE_TS + self._number}.{self._number:06}"
        self.messages[ts] = {**sent, "ts": ts}
        return {"ts": ts, "channel": sent["channel"]}

    def _chat_update(self, sent: dict[str, Any], _kind: str) -> dict[str, Any]:
        check_message(sent)
        if sent.get("ts") not in self.messages:
            raise Shape("message_not_found")
        self.messages[sent["ts"]].update(text=sent["text"], blocks=sent["blocks"])
        return {"ts": sent["ts"]}

    def _conversations_history(self, sent: dict[str, Any], kind: str) -> dict[str, Any]:
        return self._listed(sent, kind, None)

    def _conversations_replies(self, sent: dict[str, Any], kind: str) -> dict[str, Any]:
        return self._listed(sent, kind, sent["ts"])

    def _listed(self, sent: dict[str, Any], kind: str, thread: str | None) -> dict[str, Any]:
        if kind != "application/x-www-form-urlencoded":
            raise Shape("invalid_form_data")
        with_metadata = sent.get("include_all_metadata") == "true"
        found = [
            {name: value for name, value in each.items() if with_metadata or name != "metadata"}
            for each in self.messages.values()
            if each["channel"] == sent["channel"]
            and (thread is None or thread in (each.get("thread_ts"), each["ts"]))
            and float(each["ts"]) >= float(sent.get("oldest", 0))
        ]
        return {"messages": found}

    def _views_open(self, sent: dict[str, Any], _kind: str) -> dict[str, Any]:
        if not sent.get("trigger_id"):
            raise Shape("invalid_trigger_id")
        check_view(sent["view"])
        self.views.append(sent["view"])
        return {"view": {"id": f"V{len(self.views)}"}}

    def _views_update(self, sent: dict[str, Any], _kind: str) -> dict[str, Any]:
        check_view(sent["view"])
        self.views.append(sent["view"])
        return {}


def check_message(sent: dict[str, Any]) -> None:
    if not isinstance(sent.get("channel"), str):
        raise Shape("channel_not_found")
    if not sent.get("text"):
        raise Shape("no_text")
    if len(sent["text"]) > 40_000:
        raise Shape("msg_too_long")
    check_blocks(sent["blocks"], {"header", "rich_text", "actions", "section"})


def check_view(view: dict[str, Any]) -> None:
    for name in ("title", "submit", "close"):
        if name in view:
            _text(view[name], 24, plain=True)
    if len(view.get("private_metadata", "")) > 3000 or len(view["blocks"]) > 100:
        raise Shape("invalid_arguments")
    check_blocks(view["blocks"], {"section", "input", "rich_text"})


def check_blocks(blocks: list[dict[str, Any]], known: set[str]) -> None:
    if not 1 <= len(blocks) <= 50:
        raise Shape("invalid_blocks")
    for block in blocks:
        if block["type"] not in known:
            raise Shape("invalid_blocks")
        _CHECKS[block["type"]](block)


def _header(block: dict[str, Any]) -> None:
    _text(block["text"], 150, plain=True)


def _section(block: dict[str, Any]) -> None:
    _text(block["text"], 3000)


def _rich_text(block: dict[str, Any]) -> None:
    for element in block["elements"]:
        parts = [element] if element["type"] == "rich_text_section" else element["elements"]
        if element["type"] not in ("rich_text_section", "rich_text_list") or not parts:
            raise Shape("invalid_blocks")
        for part in parts:
            for piece in part["elements"]:
                if not piece.get("text") or len(piece["text"]) > 3000:
                    raise Shape("invalid_blocks")
                if piece["type"] == "link" and not piece["url"].startswith(("http://", "https://")):
                    raise Shape("invalid_blocks")
                if piece["type"] not in ("text", "link"):
                    raise Shape("invalid_blocks")


def _actions(block: dict[str, Any]) -> None:
    if not 1 <= len(block["elements"]) <= 25:
        raise Shape("invalid_blocks")
    names = [element["action_id"] for element in block["elements"]]
    if len(set(names)) < len(names):
        raise Shape("invalid_blocks")
    for element in block["elements"]:
        _text(element["text"], 75, plain=True)
        if len(element["value"]) > 2000 or element.get("style", "primary") not in ("primary", "danger"):
            raise Shape("invalid_blocks")


def _input(block: dict[str, Any]) -> None:
    _text(block["label"], 2000, plain=True)
    element = block["element"]
    if element["type"] == "static_select":
        if not 1 <= len(element["options"]) <= 100:
            raise Shape("invalid_blocks")
        for option in element["options"]:
            _text(option["text"], 75, plain=True)
            if not 1 <= len(option["value"]) <= 150:
                raise Shape("invalid_blocks")
        if "initial_option" in element and element["initial_option"] not in element["options"]:
            raise Shape("invalid_blocks")
    elif element["type"] != "plain_text_input" or not 1 <= element.get("max_length", 3000) <= 3000:
        raise Shape("invalid_blocks")


def _text(text: dict[str, Any], most: int, *, plain: bool = False) -> None:
    if not 1 <= len(text["text"]) <= most or (plain and text["type"] != "plain_text"):
        raise Shape("invalid_blocks")


_CHECKS = {"header": _header, "section": _section, "rich_text": _rich_text, "actions": _actions, "input": _input}


class _Handler(BaseHTTPRequestHandler):
    server: FakeSlack

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"].partition(";")[0]
        sent = json.loads(body) if kind == "application/json" else dict(parse_qsl(body.decode()))
        if self.path == "/respond":
            self.server.responses.append(sent)
            self._send(200, {}, {})
            return
        method = self.path.removeprefix("/api/")
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(200, {"ok": False, "error": "invalid_auth"}, {})
            return
        answer = self.server.answer(method, sent, kind)
        if self.server.lose and method == "chat.postMessage":
            self.server.lose = False
            self.close_connection = True
            return
        self._send(*answer)

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def signed(body: bytes, at: int, secret: str = SECRET) -> dict[str, str]:
    """Headers as Slack sends them, in lower case; `at` in microseconds."""
    stamp = str(at // 1_000_000)
    mark = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mark}"}


def action_body(payload: dict[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()
