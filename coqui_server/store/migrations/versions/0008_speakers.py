"""Whether a job asks for its speakers to be told apart, and the names that people gave them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("speakers", sa.Text))
    op.add_column(
        "sessions", sa.Column("names", sa.JSON, nullable=False, server_default=sa.text("'{}'"))
    )
