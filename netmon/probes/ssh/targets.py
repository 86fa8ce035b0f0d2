"""Which routers are visited, and what is in the way where one is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from netmon.config.secrets import Secret, read_secret
from netmon.errors import SecretError
from netmon.probes.ssh.adapter import Login
from netmon.probes.ssh.collector import Target
from netmon.probes.ssh.platforms import Platform, identify
from netmon.probes.ssh.visit import SshStatus, Visit

if TYPE_CHECKING:
    from collections.abc import Collection

    from netmon.config.settings import SecretReference, Settings, SshCredential
    from netmon.model import Agency, Inventory

Describe = Callable[[str], str]
"""Agency → "vendor os description" as its router told over SNMP; empty: not known."""


class Targets:
    """Makes targets of agencies; each secret is read once."""

    def __init__(
        self, settings: Settings, platforms: Mapping[str, Platform], describe: Describe
    ) -> None:
        self._settings = settings
        self._platforms = platforms
        self._describe = describe
        self._secrets: dict[SecretReference, Secret | SecretError] = {}

    def any_secret(self) -> bool:
        """Tell whether any credential can be used here at all."""
        credentials = self._settings.ssh_credentials.values()
        return any(not self._trouble(each) for each in credentials)

    def of(
        self, inventory: Inventory, wanted: Collection[str] | None = None
    ) -> tuple[list[Target], list[Visit]]:
        """Return what can be visited, and what cannot with the reason.

        Agencies without a router or without a credential named for it are neither.
        """
        targets: list[Target] = []
        hindered: list[Visit] = []
        for agency in inventory.agencies.values():
            if agency.router is None or agency.router.ssh is None:
                continue
            if wanted is not None and agency.id not in wanted:
                continue
            made = self._target(agency, agency.router.ssh)
            if isinstance(made, Target):
                targets.append(made)
            else:
                hindered.append(made)
        return targets, hindered

    def _target(self, agency: Agency, name: str) -> Target | Visit:
        assert agency.router is not None  # noqa: S101  # `of` has looked
        credential = self._settings.ssh_credentials.get(name)
        if credential is None:
            return Visit(agency.id, SshStatus.NOT_CONFIGURED, f"no SSH credential named {name!r}")
        if trouble := self._trouble(credential):
            return Visit(agency.id, SshStatus.NO_SECRET, trouble)
        platform = self._platform(agency)
        if platform is None:
            known = ", ".join(self._platforms)
            return Visit(
                agency.id,
                SshStatus.NOT_CONFIGURED,
                f"nothing tells its platform: write router: {{platform: …}}, one of {known}",
            )
        router = agency.router
        login = Login(
            router.address,
            router.ssh_port,
            credential.user,
            self._secret(credential.password),
            None if credential.key_file is None else str(credential.key_file),
            self._secret(credential.enable_password),
        )
        return Target(agency.id, platform, name, login, self._known_secrets())

    def _platform(self, agency: Agency) -> Platform | None:
        assert agency.router is not None  # noqa: S101  # `of` has looked
        if agency.router.platform is not None:
            return self._platforms[agency.router.platform]
        return identify(self._platforms, self._describe(agency.id))

    def _trouble(self, credential: SshCredential) -> str:
        for reference in (credential.password, credential.enable_password):
            if reference is not None:
                found = self._read(reference)
                if isinstance(found, SecretError):
                    return str(found)
        if credential.key_file is not None and not credential.key_file.is_file():
            return f"there is no key {credential.key_file}"
        return ""

    def _secret(self, reference: SecretReference | None) -> Secret | None:
        found = None if reference is None else self._read(reference)
        return found if isinstance(found, Secret) else None

    def _read(self, reference: SecretReference) -> Secret | SecretError:
        if reference not in self._secrets:
            try:
                self._secrets[reference] = read_secret(reference)
            except SecretError as error:
                self._secrets[reference] = error
        return self._secrets[reference]

    def _known_secrets(self) -> tuple[str, ...]:
        """Return every secret of ours: one of them may stand in any router's configuration."""
        settings, traps = self._settings, self._settings.snmp_traps
        users = (*settings.snmp_credentials.values(), *(traps.credentials if traps else ()))
        references = [
            *(each.password for each in settings.ssh_credentials.values()),
            *(each.enable_password for each in settings.ssh_credentials.values()),
            *(each.community for each in users),
            *(each.auth_password for each in users),
            *(each.priv_password for each in users),
            *(traps.communities if traps else ()),
        ]
        found = (self._secret(reference) for reference in references)
        return tuple(dict.fromkeys(secret.reveal() for secret in found if secret is not None))
