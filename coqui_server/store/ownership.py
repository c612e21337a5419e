"""Whose it is: no query of the store leaves that open."""

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute


class Everybody:
    """Who may see all: an administrator, or anybody where nobody signs in."""


EVERYBODY = Everybody()

Whose = str | None | Everybody
"""The name of a user; None for what came while nobody was signed in; or everybody's."""


def owned(owner: InstrumentedAttribute[str | None], whose: Whose) -> ColumnElement[bool]:
    """The condition that a row is theirs."""
    return (
        true()
        if isinstance(whose, Everybody)
        else owner.is_(whose)
        if whose is None
        else (owner == whose)
    )
