"""Warnings about a transcript, and the sound track that a job asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "sessions", sa.Column("warnings", sa.JSON, nullable=False, server_default=sa.text("'[]'"))
    )
    op.add_column("jobs", sa.Column("track", sa.Integer))
