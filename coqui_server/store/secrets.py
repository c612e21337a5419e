"""Secrets that several servers share."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from coqui_server.store.database import Database
from coqui_server.store.tables import SecretRow


async def shared(database: Database, name: str, proposed: str) -> str:
    """The secret of this name: the one that the first server proposed.

    Raises:
        StoreError: the database failed.
    """
    first = insert(SecretRow).values(name=name, value=proposed).on_conflict_do_nothing()
    async with database.writing() as transaction:
        await transaction.execute(first)
        found = select(SecretRow.value).where(SecretRow.name == name)
        return (await transaction.scalars(found)).one()
