"""The channels of a file: which one a segment is of, its name, and what a job asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("segments", sa.Column("channel", sa.Integer))
    op.add_column("segments", sa.Column("speaker", sa.Text))
    op.add_column("jobs", sa.Column("channels", sa.Text))
