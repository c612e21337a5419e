"""How often a user signed out, which ends all sign-ins before."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("users", sa.Column("sign_outs", sa.Integer, nullable=False, server_default="0"))
