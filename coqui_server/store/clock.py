"""The database's clock: the one that several machines share, however wrong their own are."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Moment(FunctionElement[datetime]):
    """Now, and so many seconds after."""

    type = DateTime(timezone=True)
    inherit_cache = True


def now(after: float = 0.0) -> ColumnElement[datetime]:
    """The moment of the statement in which it stands, or so many seconds after that."""
    return _Moment(bindparam("after", after, unique=True))


@compiles(_Moment, "postgresql")
def _postgresql(moment: _Moment, compiler: SQLCompiler, **words: Any) -> str:
    # Not `now()`, which is the start of the transaction: it may have waited for a lock since.
    seconds = compiler.process(moment.clauses, **words)
    return f"(clock_timestamp() + make_interval(secs => {seconds}))"


@compiles(_Moment, "sqlite")
def _sqlite(moment: _Moment, compiler: SQLCompiler, **words: Any) -> str:
    # As SQLAlchemy writes moments there: with six digits, of which the clock gives three.
    seconds = compiler.process(moment.clauses, **words)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"
