"""Refusals are counted apart from claims, and each campaign's due rows have their own order."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = sa.text("status IN ('queued', 'sending')")


def upgrade() -> None:
    op.add_column("delivery", sa.Column("refusals", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("delivery") as table:
        table.alter_column("refusals", server_default=None)
    op.drop_index("ix_delivery_due", "delivery")
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["campaign_id", "channel", "due_at", "id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
