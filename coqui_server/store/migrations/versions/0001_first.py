"""Sessions, segments, users, tokens and jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("call", sa.Text),
        sa.Column("label", sa.Text),
        sa.Column("start", _moment, nullable=False),
        sa.Column("duration", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("words", sa.Integer, nullable=False),
        sa.Column("statistics", sa.JSON, nullable=False),
        sa.Column("recording", _number, nullable=False),
    )
    op.create_index("sessions_start", "sessions", ["start"])
    op.create_index("sessions_owner", "sessions", ["owner", "start"])
    op.create_table(
        "segments",
        sa.Column("id", _number, primary_key=True),
        sa.Column(
            "session", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("start", sa.Double, nullable=False),
        sa.Column("end", sa.Double, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("original", sa.Text),
        sa.Column("confidence", sa.Double),
        sa.Column("words", sa.JSON, nullable=False),
    )
    op.create_index("segments_session", "segments", ["session"])
    op.create_table(
        "users",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("created", _moment, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", _number, primary_key=True),
        sa.Column("user", sa.Text, sa.ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("created", _moment, nullable=False),
        sa.Column("expires", _moment),
        sa.Column("used", _moment),
    )
    op.create_index("tokens_user", "tokens", ["user"])
    op.create_table(
        "jobs",
        sa.Column("id", _number, primary_key=True),
        sa.Column("owner", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("upload", sa.Text, nullable=False),
        sa.Column("size", _number, nullable=False),
        sa.Column("engine", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created", _moment, nullable=False),
        sa.Column("started", _moment),
        sa.Column("ended", _moment),
        sa.Column("session", sa.Text, sa.ForeignKey("sessions.id", ondelete="SET NULL")),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_state", "jobs", ["state"])
