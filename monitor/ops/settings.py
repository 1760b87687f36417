"""What can be set about the log."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from monitor.setting_types import SettingsGroup


class LogSettings(SettingsGroup):
    """How the log is written."""

    log_format: Literal["console", "json"] = Field(
        default="console", description="Log format: text or JSON.", examples=["console"]
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level that is logged.", examples=["info"]
    )
