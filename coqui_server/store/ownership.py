"""Whose it is: no query of the store leaves that open."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute


class Everybody:
    """Who may see all: an administrator, or anybody where nobody signs in."""


EVERYBODY = Everybody()

Whose = str | None | Everybody
"""The name of a user; None for what came while nobody was signed in; or everybody's."""


@dataclass(frozen=True)
class Asker:
    """Who asks: a user's name, None for nobody; and whose sessions, calls and files are shown."""

    user: str | None
    whose: Whose

    @property
    def sees_all(self) -> bool:
        """Whether nobody's are hidden from them."""
        return isinstance(self.whose, Everybody)


def wanted(whose: Whose) -> dict[str, str | None]:
    """What messages have to say for a subscriber to get theirs."""
    return {} if isinstance(whose, Everybody) else {"owner": whose}


def owned(owner: InstrumentedAttribute[str | None], whose: Whose) -> ColumnElement[bool]:
    """The condition that a row is theirs."""
    return (
        true()
        if isinstance(whose, Everybody)
        else owner.is_(whose)
        if whose is None
        else (owner == whose)
    )
