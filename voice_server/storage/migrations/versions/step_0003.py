"""Phone calls: promised call-backs, who must not be called, recordings.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "call_backs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("shop_id", sa.String(128), nullable=False),
        sa.Column("line", sa.String(128), nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("due", _MOMENT, nullable=False),
        sa.Column("session_id", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("taken_at", _MOMENT),
    )
    op.create_index("call_backs_by_due", "call_backs", ["state", "due"])
    op.create_table(
        "opt_outs",
        sa.Column("number", sa.String(20), primary_key=True),
        sa.Column("shop_id", sa.String(128), primary_key=True),
        sa.Column("source", sa.String(128), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "recordings",
        sa.Column("call_id", sa.String(64), primary_key=True),
        sa.Column("shop_id", sa.String(128), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("consent", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
    )
    op.create_index("recordings_by_end", "recordings", ["expires_at"])


def downgrade() -> None:
    """Drop them."""
    for table in ("recordings", "opt_outs", "call_backs"):
        op.drop_table(table)
