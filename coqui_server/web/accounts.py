"""What can be done with accounts, and what it closes and deletes elsewhere."""

import asyncio
from dataclasses import dataclass

from coqui_server.auth.attempts import Attempts
from coqui_server.auth.presence import Ended, Presence
from coqui_server.exceptions import NotSignedIn
from coqui_server.jobs.queue import Queue
from coqui_server.store import Store
from coqui_server.store.tables import UserRow

_AT_ONCE = 100
"""Files or sessions deleted at a time."""


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
    attempts: Attempts

    async def sign_up(self, address: str, name: str, password: str) -> UserRow:
        """Make an account, asked for by a client at this address. Raises as `Users.add`, and
        `TooManyAttempts`."""
        await self.attempts.take(address, name)
        user = await self.store.users.add(name, password, closed=not self.signup)
        await self.attempts.forgive(address, name)
        return user

    async def verified(self, address: str, name: str, password: str) -> UserRow:
        """The account with this name and password, asked for by a client at this address.

        Raises:
            NotSignedIn: there is none.
            TooManyAttempts: the address has to wait.
        """
        await self.attempts.take(address, name)
        user = await self.store.users.verified(name, password)
        if user is None:
            raise NotSignedIn("no account has this name and this password")
        await self.attempts.forgive(address, name)
        return user

    async def sign_out(self, name: str) -> None:
        """End all sign-ins of a user, and close what they opened. Tokens stay."""
        await self.store.users.sign_out(name)
        self.presence.expel(Ended(name))

    async def change_password(self, name: str, password: str) -> UserRow:
        """Set another password. Ends and closes as `sign_out`; raises as `Users`."""
        user = await self.store.users.change_password(name, password)
        self.presence.expel(Ended(name))
        return user

    async def revoke(self, name: str, token: int) -> None:
        """Delete a token, and close what it opened. Raises as `Tokens`."""
        await self.store.tokens.revoke(name, token)
        self.presence.expel(Ended(name, token=token))

    async def remove(self, name: str, *, sessions: bool) -> None:
        """Delete an account with its tokens and files, and close what it has open.

        Args:
            sessions: delete its sessions too. Otherwise they stay, for administrators, and nobody
                else can get the name.

        Raises:
            Forbidden, NotFound: as `Users.delete`.
        """
        await self.store.users.delete(name)
        await asyncio.shield(self.presence.expel(Ended(name, all=True)))
        while files := await self.queue.find(name, limit=_AT_ONCE):
            for file in files:
                await self.queue.cancel(name, file["id"])
                await self.queue.delete(name, file["id"])
        while sessions and (found := await self.store.sessions.find(name, limit=_AT_ONCE)).sessions:
            await self.store.sessions.remove([session.id for session in found.sessions])
