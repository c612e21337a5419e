"""Limits a query to the rows of its scope: no query of the store leaves the owner open."""

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from coqui_server.principal import Everybody, Scope


def owned(owner: InstrumentedAttribute[str | None], scope: Scope) -> ColumnElement[bool]:
    """The condition that a row's owner is in this scope."""
    if isinstance(scope, Everybody):
        return true()
    return owner.is_(None) if scope is None else owner == scope
