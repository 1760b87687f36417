"""What can be set about reviewing: who may, and how much a team is asked for."""

from __future__ import annotations

from pydantic import Field

from monitor.ports import Clock
from monitor.ports.access import AccessStore
from monitor.review.auth import Auth
from monitor.review.budget import DEFAULT_A_WEEK
from monitor.review.sign_in.people import SignIn
from monitor.review.sign_in.settings import (
    AccessSettings,
    AccountSettings,
    OidcSettings,
    ProxySettings,
    auth_of,
    sign_in_of,
)
from monitor.setting_types import SettingsGroup


class ReviewSettings(SettingsGroup):
    """Accounts, ways to sign in, and the budget."""

    accounts: dict[str, AccountSettings] = Field(
        default_factory=dict,
        repr=False,
        description="Who may review, by name. Required beyond loopback.",
        examples=["`accounts: {alex: {role: on-call, secret: sha256:…}}` in the file"],
    )
    oidc: OidcSettings | None = Field(
        default=None,
        repr=False,
        description="The OpenID Connect provider; see [sign in](../how-to/sign-in.md).",
        examples=[
            "`oidc: {issuer: https://login.example.com, client_id: nearmiss, client_secret: …, address: https://nearmiss.example.com}`"
        ],
    )
    proxy_login: ProxySettings | None = Field(
        default=None,
        description="A proxy in front that signs people in.",
        examples=["`proxy_login: {networks: [10.0.0.7/32]}` in the file"],
    )
    group_access: dict[str, AccessSettings] = Field(
        default_factory=dict,
        description="What members of a group of the provider or the proxy may do, by its name.",
        examples=["`group_access: {sre: {access: reviewer}, payments: {teams: {payments: lead}}}` in the file"],
    )
    review_budget: int = Field(
        default=DEFAULT_A_WEEK,
        ge=0,
        le=1_000_000,
        description=(
            "Drafts per team and week. Lower-ranked ones are folded in the queue and can still be reviewed; 0 "
            "folds nothing."
        ),
        examples=["3"],
        json_schema_extra={"expected": "a whole number from 0 to 1000000"},
    )

    blaming_phrases: dict[str, str] | None = Field(
        default=None,
        description="Phrases at which the forms suggest other words, each with its hint, instead of the shipped list.",
        examples=["`blaming_phrases: {operator error: Say what the screen showed.}` in the file"],
    )

    def auth(self) -> Auth:
        """The accounts, ready to check credentials against."""
        return auth_of(self.accounts)

    def sign_in(self, clock: Clock, access: AccessStore) -> SignIn:
        """Every way in that is configured."""
        return sign_in_of(self.auth(), clock, access, self.oidc, self.proxy_login, self.group_access)
