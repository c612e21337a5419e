"""The encoding and sample rate of uploaded files without a header."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("encoding", sa.Text))
    op.add_column("jobs", sa.Column("sample_rate", sa.Integer))
