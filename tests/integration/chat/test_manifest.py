"""The manifest on the page is of an app that works: its addresses are routes, its scopes those that are used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from monitor.chat.slack_work import SHORTCUTS
from tests.architecture.files import text
from tests.integration.chat.conftest import Office

USED = {"chat:write", "commands", "channels:history", "groups:history"}


def manifest() -> dict[str, Any]:
    found = re.findall(r"^```yaml\n(.*?)^```$", text(Path("docs/how-to/chat.md")) or "", re.DOTALL | re.MULTILINE)
    (written,) = [each for each in map(yaml.safe_load, found) if "display_information" in each]
    return dict(written)


async def test_the_manifest_names_what_there_is(office: Office) -> None:
    app = manifest()
    (command,) = app["features"]["slash_commands"]
    settings = app["settings"]
    addresses = [
        command["url"],
        settings["interactivity"]["request_url"],
        settings["event_subscriptions"]["request_url"],
    ]
    (route,) = office.door.router().routes
    pattern = route.path_regex  # type: ignore[attr-defined]
    assert [urlsplit(each).path for each in addresses] == [
        f"/chat/slack/{kind}" for kind in ("commands", "actions", "events")
    ]
    assert all(pattern.match(urlsplit(each).path) for each in addresses)
    assert {each["callback_id"] for each in app["features"]["shortcuts"]} == set(SHORTCUTS)
    assert set(app["oauth_config"]["scopes"]["bot"]) == USED
