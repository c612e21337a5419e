"""The names and terms that a job asks to favour."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("terms", sa.JSON, nullable=False, server_default="[]"))
