"""Who works on a job and until when, how far it is, and whose turn it is."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_COLUMNS = (
    sa.Column("turn", _number, nullable=False, server_default="0"),
    sa.Column("running", sa.Text),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lost", sa.Integer, nullable=False, server_default="0"),
    sa.Column("after", sa.DateTime(timezone=True)),
    sa.Column("worker", sa.Text),
    sa.Column("lease", sa.DateTime(timezone=True)),
    sa.Column("stopping", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("share", sa.Double, nullable=False, server_default="0"),
    sa.Column("left", sa.Double),
)


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("jobs", column)
    op.execute("UPDATE jobs SET state = 'pending' WHERE state = 'processing'")
    # Those that wait already take turns, too.
    op.execute("""
        UPDATE jobs SET turn = (
            SELECT count(*) FROM jobs AS earlier
            WHERE earlier.state = 'pending' AND earlier.id < jobs.id
            AND coalesce(earlier.owner, '') = coalesce(jobs.owner, '')
        ) WHERE state = 'pending'
    """)
    op.create_index("jobs_running", "jobs", ["running"], unique=True)
