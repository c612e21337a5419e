"""Who sends a request, and whose sessions, calls and files they may see."""

from dataclasses import dataclass


class Everybody:
    """The scope of an administrator, or of every client while no sign-in is required."""


EVERYBODY = Everybody()

Scope = str | None | Everybody
"""Whose rows a query may see: a user's name; None for sessions that began without sign-in; or
everybody's."""


@dataclass(frozen=True)
class Principal:
    """Who sends a request.

    Attributes:
        user: the user's name; None without sign-in.
        scope: whose sessions, calls and files this principal may see.
        token: the id of the token that the request has; None for a cookie.
        mark: of the cookie, which changes when the user's sign-ins end.
    """

    user: str | None
    scope: Scope
    token: int | None = None
    mark: str | None = None

    @property
    def name(self) -> str:
        """The user's name, where somebody has to sign in."""
        assert self.user is not None
        return self.user

    @property
    def sees_all(self) -> bool:
        """Whether no owner's rows are hidden from this principal."""
        return isinstance(self.scope, Everybody)


def owner_filter(scope: Scope) -> dict[str, str | None]:
    """The keys and values that a message must have for a subscriber of this scope to receive it."""
    return {} if isinstance(scope, Everybody) else {"owner": scope}
