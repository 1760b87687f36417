"""What can be set about the files that people write: rules, catalogue, mappings, weights."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from monitor.setting_types import Paths, SettingsGroup


class PackSettings(SettingsGroup):
    """Which files are in force."""

    rules: Path | None = Field(
        default=None, description="Directory of rules; default: the shipped rules.", examples=["rules"]
    )
    mappings: Path | None = Field(
        default=None,
        description="Directory of own mappings, by which bodies of further tools are read.",
        examples=["mappings"],
    )
    catalogue: Paths = Field(
        default=(),
        description="Catalogue files or directories, in nearmiss or Backstage format.",
        examples=["catalogue.yaml"],
    )
    weights: Path | None = Field(
        default=None,
        description="File of weights of the evidence; without it the weights that are shipped.",
        examples=["weights.yaml"],
    )
