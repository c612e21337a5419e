"""What can be done with accounts, and what it closes and deletes elsewhere."""

import asyncio
from dataclasses import dataclass, field

from coqui_server.auth.presence import Presence
from coqui_server.auth.throttle import Throttle
from coqui_server.exceptions import NotSignedIn, TooManyAttempts
from coqui_server.jobs.queue import Queue
from coqui_server.principal import Principal
from coqui_server.store import Store
from coqui_server.store.tables import UserRow
from coqui_server.store.users import folded

_WINDOW = 15 * 60.0
"""Seconds in which attempts are counted."""

_OF_ONE, _OF_ADDRESS = 5, 50
"""Attempts for one name from one address, and for all names from one address, behind which there
may be a whole office."""

_AT_ONCE = 100
"""Files or sessions deleted at a time."""


class Attempts:
    """Limits attempts to sign in and up, against guessed passwords and automatic accounts."""

    def __init__(self) -> None:
        self._pairs = Throttle(_OF_ONE, _WINDOW)
        self._addresses = Throttle(_OF_ADDRESS, _WINDOW)

    def take(self, address: str, name: str) -> None:
        """Count an attempt.

        Raises:
            TooManyAttempts: there were too many.
        """
        wait = self._addresses.take(address) or self._pairs.take(f"{address} {folded(name)}")
        if wait:
            raise TooManyAttempts(wait)

    def forgive(self, address: str, name: str) -> None:
        """Forget the attempts after a successful one."""
        self._pairs.forgive(f"{address} {folded(name)}")


@dataclass(frozen=True)
class Accounts:
    """The accounts of `store`. All methods raise `StoreError`.

    Attributes:
        signup: whether people may make accounts themselves.
    """

    store: Store
    queue: Queue
    presence: Presence
    signup: bool
    attempts: Attempts = field(default_factory=Attempts)

    async def sign_up(self, address: str, name: str, password: str) -> UserRow:
        """Make an account, asked for by a client at this address. Raises as `Users.add`, and
        `TooManyAttempts`."""
        self.attempts.take(address, name)
        user = await self.store.users.add(name, password, closed=not self.signup)
        self.attempts.forgive(address, name)
        return user

    async def verified(self, address: str, name: str, password: str) -> UserRow:
        """The account with this name and password, asked for by a client at this address.

        Raises:
            NotSignedIn: there is none.
            TooManyAttempts: the address has to wait.
        """
        self.attempts.take(address, name)
        user = await self.store.users.verified(name, password)
        if user is None:
            raise NotSignedIn("no account has this name and this password")
        self.attempts.forgive(address, name)
        return user

    async def sign_out(self, name: str) -> None:
        """End all sign-ins of a user, and close what they opened. Tokens stay."""
        await self.store.users.sign_out(name)
        self.presence.expel(name, _by_cookie)

    async def change_password(self, name: str, password: str) -> UserRow:
        """Set another password. Ends and closes as `sign_out`; raises as `Users`."""
        user = await self.store.users.change_password(name, password)
        self.presence.expel(name, _by_cookie)
        return user

    async def revoke(self, name: str, token: int) -> None:
        """Delete a token, and close what it opened. Raises as `Tokens`."""
        await self.store.tokens.revoke(name, token)
        self.presence.expel(name, lambda principal: principal.token == token)

    async def remove(self, name: str, *, sessions: bool) -> None:
        """Delete an account with its tokens and files, and close what it has open.

        Args:
            sessions: delete its sessions too. Otherwise they stay, for administrators, and nobody
                else can get the name.

        Raises:
            Forbidden, NotFound: as `Users.delete`.
        """
        await self.store.users.delete(name)
        await asyncio.shield(self.presence.expel(name, lambda _: True))
        while files := await self.queue.find(name, limit=_AT_ONCE):
            for file in files:
                await self.queue.cancel(name, file["id"])
                await self.queue.delete(name, file["id"])
        while sessions and (found := await self.store.sessions.find(name, limit=_AT_ONCE)).sessions:
            await self.store.sessions.remove([session.id for session in found.sessions])


def _by_cookie(principal: Principal) -> bool:
    return principal.token is None
