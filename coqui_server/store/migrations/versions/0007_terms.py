"""The names and terms of a user."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("users", sa.Column("terms", sa.JSON, nullable=False, server_default="[]"))
