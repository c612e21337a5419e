"""Which of several servers has a session, the servers there are, and what they share."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("sessions", sa.Column("replica", sa.Text))
    running = sa.text("state = 'running'")
    op.create_index(
        "sessions_running", "sessions", ["replica"], postgresql_where=running, sqlite_where=running
    )
    op.create_table(
        "replicas",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("seen", _moment, nullable=False),
        sa.Column("steady", _moment, nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
