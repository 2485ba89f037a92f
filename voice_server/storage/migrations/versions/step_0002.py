"""Call detail records.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Written out, not taken from tables.py: that file moves on, this step does not.
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "calls",
        sa.Column("place", _PLACE, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(128), nullable=False, unique=True),
        sa.Column("shop_id", sa.String(128), nullable=False),
        sa.Column("vendor", sa.String(32), nullable=False),
        sa.Column("line", sa.String(128), nullable=False),
        sa.Column("languages", sa.String(128), nullable=False),
        sa.Column("handed_off", sa.Boolean, nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=False),
        sa.Column("detail", _JSON, nullable=False),
    )
    op.create_index("calls_by_shop", "calls", ["shop_id", "began_at"])
    op.create_index("calls_by_time", "calls", ["began_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("calls")
