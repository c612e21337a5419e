"""Numbers in addresses: those that a database can look for."""

from typing import Annotated

from fastapi import Path, Query

_LARGEST = 2**63 - 1
"""PostgreSQL's BIGINT and SQLite's INTEGER have 64 bits. Their drivers fail at a larger number."""

Id = Annotated[int, Path(ge=0, le=_LARGEST)]
Offset = Annotated[int, Query(ge=0, le=_LARGEST)]
