"""What one must tell so that people can sign in: accounts, a provider, a proxy, and what groups may do."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, SecretStr

from monitor.ports import Clock
from monitor.ports.access import AccessStore
from monitor.review.auth import LOCAL_ROLE, Auth, auth_from
from monitor.review.permissions import Access, Grants
from monitor.review.sign_in.oidc import Oidc, Provider
from monitor.review.sign_in.people import ProxyLogin, SignIn
from monitor.setting_types import Networks, Secret, SettingsGroup


class OidcSettings(SettingsGroup):
    """An OpenID Connect provider."""

    issuer: str = Field(pattern=r"^https?://[^\s?#]+$", description="The provider, as it calls itself.")
    client_id: str = Field(min_length=1, description="What the provider calls this service.")
    client_secret: Secret = Field(description="The secret that the provider gave.")
    address: str = Field(
        pattern=r"^https?://[^\s?#]+$",
        description="Where browsers reach this service; `/login/callback` below it is the redirect URI.",
    )
    scope: str = Field(default="openid profile email", pattern="openid", description="What is asked of the provider.")
    groups: str = Field(default="groups", min_length=1, description="The claim with a person's groups.")

    def oidc(self) -> Oidc:
        return Oidc(
            self.issuer, self.client_id, self.client_secret.get_secret_value(), self.address, self.scope, self.groups
        )


class ProxySettings(SettingsGroup):
    """A proxy in front that has signed people in."""

    networks: Networks = Field(min_length=1, description="From where the proxy is believed, such as `10.0.0.7/32`.")
    user: str = Field(default="X-Forwarded-User", min_length=1, description="The header with the name.")
    groups: str = Field(
        default="X-Forwarded-Groups", min_length=1, description="The header with the groups, separated by commas."
    )

    def proxy(self) -> ProxyLogin:
        return ProxyLogin(tuple(self.networks), self.user, self.groups)


class AccessSettings(SettingsGroup):
    """What the members of a group may do."""

    access: Access | None = Field(
        default=None, description="With every record: `viewer`, `reviewer`, `lead` or `admin`."
    )
    teams: dict[str, Access] = Field(default_factory=dict, description="The same with records of single teams.")

    def grants(self) -> Grants:
        return Grants(self.access, dict(self.teams))


class AccountSettings(SettingsGroup):
    """One account that may review from another machine, under the name that it is configured by."""

    role: str = Field(default=LOCAL_ROLE, description="The role shown in the audit trail for this account.")
    secret: SecretStr = Field(
        description="Password or token, at least 12 characters; `sha256:` and the 64 hex digits of its hash; or what "
        "`nearmiss password` prints."
    )
    access: Access | None = Field(
        default=Access.REVIEWER,
        description="What it may do: `viewer`, `reviewer`, `lead` or `admin`; null: by team only.",
    )
    teams: dict[str, Access] = Field(default_factory=dict, description="What it may do with records of single teams.")


def auth_of(accounts: Mapping[str, AccountSettings]) -> Auth:
    """Raises BadAccount."""
    plain = {name: {"role": each.role, "secret": each.secret.get_secret_value()} for name, each in accounts.items()}
    return auth_from(plain, {name: Grants(each.access, dict(each.teams)) for name, each in accounts.items()})


def sign_in_of(
    auth: Auth,
    clock: Clock,
    access: AccessStore,
    oidc: OidcSettings | None,
    proxy: ProxySettings | None,
    groups: Mapping[str, AccessSettings],
) -> SignIn:
    """Every way in that is configured."""
    return SignIn(
        auth,
        clock,
        access,
        None if oidc is None else Provider(oidc.oidc()),
        None if proxy is None else proxy.proxy(),
        {name: group.grants() for name, group in groups.items()},
    )
