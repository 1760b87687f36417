"""What one must tell to reach people in chats and by mail, checked when it is read. Connects to nothing."""

from __future__ import annotations

import hashlib
from datetime import time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from monitor.chat.apprise_allowed import check_address
from monitor.chat.teams import EVERYBODY, Span, Team, Teams
from monitor.chat.webhook_sender import check_webhook
from monitor.review.permissions import Access, Grants
from monitor.setting_types import Secret, SecretTexts, SettingsGroup, SourceNames

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _clock(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        # YAML reads an unquoted 18:00 as a number of minutes.
        return time(value // 60, value % 60)
    hours, colon, minutes = str(value).strip().partition(":")
    if colon and hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60:
        return time(int(hours), int(minutes))
    raise ValueError("expected a time of day such as 09:00")


def _span(value: object) -> object:
    if value is None or value == "none":
        return None
    begins, dash, ends = str(value).partition("-")
    if not dash:
        raise ValueError("expected two times of day such as 18:00-09:00, or none")
    found = (_clock(begins), _clock(ends))
    if found[0] == found[1]:
        raise ValueError("expected two different times of day such as 18:00-09:00, or none")
    return found


Clock = Annotated[time, BeforeValidator(_clock)]
Hours = Annotated[Span | None, BeforeValidator(_span)]


class TeamSettings(SettingsGroup):
    """One team, under its name in the catalogue, or `*` for all that are not named."""

    channel: str | None = Field(
        default=None, pattern=r"^[CGD][A-Z0-9]{2,20}$", description="Id of its Slack channel, such as `C0123456789`."
    )
    to: SecretTexts = Field(
        default=(), description="Apprise addresses of other chats and mail; schemes that page people are refused."
    )
    told_to: SecretTexts = Field(
        default=(), description="Webhooks that get JSON when an incident resembles earlier near misses; no pagers."
    )
    time_zone: str = Field(default="UTC", description="IANA time zone of the times below.")
    daily: Clock = Field(default=time(9), description="When the daily digest is sent; default: `09:00`.")
    weekly: Literal["none", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        default="monday", description="Day of the weekly digest, at the time of the daily one."
    )
    quiet: Hours = Field(default=None, description="Quiet hours such as `20:00-08:00`: what is new waits.")
    shift: Hours = Field(
        default=(time(18), time(9)), description="The shift that reports are about, or `none`; default: `18:00-09:00`."
    )
    calendar: str | None = Field(
        default=None, description="iCal file or https address with the shifts of people on call, in place of `shift`."
    )

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):
            raise ValueError("expected an IANA time zone such as Europe/Berlin") from None
        return value

    @field_validator("to")
    @classmethod
    def _page_nobody(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for address in value:
            check_address(address.get_secret_value())
        return value

    @field_validator("told_to")
    @classmethod
    def _wakes_nobody(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for address in value:
            check_webhook(address.get_secret_value())
        return value

    @field_validator("calendar")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value is not None and "://" in value and not value.startswith("https://"):
            raise ValueError("expected a file or an https address of an iCal calendar")
        return value

    def team(self, name: str) -> Team:
        """Ready to be told."""
        addresses = {_destination(name, address): address for address in (each.get_secret_value() for each in self.to)}
        return Team(
            name=name,
            channel=self.channel,
            to=addresses,
            webhooks={_named("webhook", name, url): url for url in (each.get_secret_value() for each in self.told_to)},
            zone=self.time_zone,
            daily=self.daily,
            weekly=0 if self.weekly == "none" else WEEKDAYS.index(self.weekly) + 1,
            quiet=self.quiet,
            shift=self.shift,
            calendar=self.calendar,
        )


class SlackPerson(SettingsGroup):
    access: Access | None = Field(
        default=None, description="What they may do with all records: `viewer`, `reviewer`, `lead` or `admin`."
    )
    teams: dict[str, Access] = Field(default_factory=dict, description="The same with records of single teams.")

    def grants(self) -> Grants:
        return Grants(self.access, dict(self.teams))


class ChatSettings(SettingsGroup):
    """Chats and mail. Nothing is told unless a team is named."""

    address: str = Field(
        default="",
        pattern=r"^(https?://[^\s@?#]+)?$",
        description="Address at which people open the pages, for links in messages.",
        examples=["https://nearmiss.example.com"],
    )
    slack_token: Secret | None = Field(
        default=None, description="Bot token of the Slack app, `xoxb-…`.", examples=["THE-TOKEN"]
    )
    slack_signing_secret: Secret | None = Field(
        default=None, description="Signing secret of the Slack app.", examples=["THE-SECRET"]
    )
    slack_workspace: str | None = Field(
        default=None,
        description="Id of the workspace, such as `T0123456789`; requests of others are refused.",
        examples=["T0123456789"],
    )
    slack_role: str = Field(
        default="reviewer",
        min_length=1,
        max_length=100,
        description="Role in the trail for decisions made in Slack.",
        examples=["reviewer"],
    )
    slack_deciders: SourceNames = Field(
        default=(),
        description="Slack ids of people who may decide; default: all in the team's channel.",
        examples=["U0123456789"],
    )
    slack_people: dict[str, SlackPerson] = Field(
        default_factory=dict,
        repr=False,
        description="What each may do, by their id in Slack, like `accounts`; with any, others only look.",
        examples=["`chat: {slack_people: {U0123456789: {access: reviewer}}}` in the file"],
    )
    told_secret: Secret | None = Field(
        default=None,
        description="Signs what `told_to` gets, by Standard Webhooks; `whsec_…` or any text.",
        examples=["THE-SECRET"],
    )
    slack_api: str = Field(
        default="https://slack.com/api/",
        pattern=r"^https?://[^\s@?#]+$",
        description="Address of Slack's Web API.",
        examples=["https://slack.com/api/"],
    )
    teams: dict[str, TeamSettings] = Field(
        default_factory=dict,
        repr=False,
        description="Teams that get messages, by name in the catalogue; `*` is everyone else.",
        examples=["`chat: {teams: {payments: {channel: C0123456789}}}` in the file"],
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        with_channel = sorted(name for name, team in self.teams.items() if team.channel is not None)
        try_ = "try `chat: {slack_token: xoxb-…, slack_signing_secret: …}` in the file"
        if (self.slack_token is None) != (self.slack_signing_secret is None):
            raise ValueError(f"expected both slack_token and slack_signing_secret, or neither; {try_}")
        if with_channel and self.slack_token is None:
            raise ValueError(f"the team {with_channel[0]} has a Slack channel: expected slack_token as well; {try_}")
        for name, team in self.teams.items():
            if team.channel is None and not team.to and not team.told_to:
                raise ValueError(f"the team {name}: expected channel, to or told_to; try `channel: C0123456789`")
        return self

    @property
    def is_used(self) -> bool:
        return bool(self.teams)

    def as_teams(self) -> Teams:
        """By name, ready to be told."""
        return Teams({name: team.team(name) for name, team in self.teams.items()})


def _destination(team: str, address: str) -> str:
    return _named(check_address(address), team, address)


def _named(kind: str, team: str, address: str) -> str:
    """Names an address without its secrets, and stays the same as long as the address does."""
    mark = hashlib.sha256(address.encode()).hexdigest()[:8]
    who = "everybody" if team == EVERYBODY else team
    return f"{kind} of {who[:150]} ({mark})"
