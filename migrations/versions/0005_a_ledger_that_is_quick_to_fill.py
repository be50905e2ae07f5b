"""The ledger is filled by the million: what slowed each of its rows is kept by triggers and smaller indexes.

Each foreign key cost PostgreSQL as much as the row itself. What they promised still holds: a campaign with
deliveries cannot be deleted, and a deleted subscriber's number goes from the ledger.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FINAL = sa.text("status IN ('sent', 'failed', 'bounced', 'skipped', 'uncertain')")


def upgrade() -> None:
    op.drop_index("ix_delivery_campaign_status", "delivery")
    op.drop_index("ix_delivery_subscriber_id", "delivery")
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_without_foreign_keys()
        _add_sqlite_triggers()
    else:
        op.drop_constraint("delivery_campaign_id_fkey", "delivery")
        op.drop_constraint("delivery_subscriber_id_fkey", "delivery")
        _add_postgresql_triggers()
    op.create_index(
        "ix_delivery_final",
        "delivery",
        ["campaign_id", "status"],
        sqlite_where=_FINAL,
        postgresql_where=_FINAL,
    )


def _rebuild_without_foreign_keys() -> None:
    """SQLite takes no constraint from a table: the rows move into a new one."""
    open_ = sa.text("status IN ('queued', 'sending')")
    table = sa.Table(
        "delivery",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("language", sa.String(40), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.String(32), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.UniqueConstraint("campaign_id", "subscriber_id", "channel"),
        sa.Index("ix_delivery_due", "campaign_id", "channel", "due_at", "id", sqlite_where=open_),
    )
    with op.batch_alter_table("delivery", copy_from=table, recreate="always"):
        pass


def _add_sqlite_triggers() -> None:
    op.execute(
        "CREATE TRIGGER campaign_keeps_its_ledger BEFORE DELETE ON campaign "
        "WHEN EXISTS (SELECT 1 FROM delivery WHERE campaign_id = OLD.id) "
        "BEGIN SELECT RAISE(ABORT, 'a campaign with deliveries stays'); END"
    )
    # By campaign, because the ledger's unique key begins with it and no index is by subscriber.
    op.execute(
        "CREATE TRIGGER ledger_forgets_subscriber AFTER DELETE ON subscriber "
        "BEGIN UPDATE delivery SET subscriber_id = NULL "
        "WHERE campaign_id IN (SELECT id FROM campaign) AND subscriber_id = OLD.id; END"
    )


def _add_postgresql_triggers() -> None:
    op.execute(
        "CREATE FUNCTION keep_ledger_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF EXISTS (SELECT 1 FROM delivery WHERE campaign_id = OLD.id) THEN "
        "RAISE EXCEPTION 'a campaign with deliveries stays'; END IF; RETURN OLD; END $$"
    )
    op.execute(
        "CREATE TRIGGER campaign_keeps_its_ledger BEFORE DELETE ON campaign "
        "FOR EACH ROW EXECUTE FUNCTION keep_ledger_of_campaign()"
    )
    # The lock is the one that filling the ledger holds: a row that is being written is waited for.
    op.execute(
        "CREATE FUNCTION forget_subscriber_in_ledger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_advisory_xact_lock(hashtextextended('ledger', 0)); "
        "UPDATE delivery SET subscriber_id = NULL "
        "WHERE campaign_id IN (SELECT id FROM campaign) AND subscriber_id = OLD.id; "
        "RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_forgets_subscriber AFTER DELETE ON subscriber "
        "FOR EACH ROW EXECUTE FUNCTION forget_subscriber_in_ledger()"
    )


def downgrade() -> None:
    raise NotImplementedError("a schema is not taken back: restore a backup")
