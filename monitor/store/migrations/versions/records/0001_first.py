"""Records, their trail, the engine's memory, the history of foreign journals, and what could not be read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0001"
down_revision = None
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "engine_cells",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "engine_owner",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("last_commit", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "engine_positions",
        sa.Column("partition", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition"),
    )
    op.create_table(
        "event_history",
        sa.Column("position", SERIAL, autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index("event_history_at", "event_history", ["at"], unique=False)
    op.create_index("event_history_identity", "event_history", ["source", "event_id"], unique=True)
    op.create_index("event_history_service_at", "event_history", ["service", "at"], unique=False)
    op.create_table(
        "near_misses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("recurrence_key", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("draft", sa.LargeBinary(), nullable=False),
        sa.Column("why_near_miss", sa.Text(), nullable=False),
        sa.Column("what_saved_it", sa.Text(), nullable=False),
        sa.Column("what_next_time", sa.Text(), nullable=False),
        sa.Column("users_hit", sa.Boolean(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("contradicted", sa.Text(), nullable=True),
        sa.Column("impact_evidence", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("near_misses_order", "near_misses", ["rank", "opened_at", "id"], unique=False)
    op.create_index("near_misses_recurrence", "near_misses", ["recurrence_key", "opened_at"], unique=False)
    op.create_index("near_misses_state", "near_misses", ["state", "created_at"], unique=False)
    op.create_table(
        "not_opened",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("not_opened_reason", "not_opened", ["reason", "id"], unique=False)
    op.create_index("not_opened_service", "not_opened", ["service", "id"], unique=False)
    op.create_table(
        "not_opened_counts",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "reason", "rule"),
    )
    op.create_table(
        "rejects",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("requeued_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rejects_waiting", "rejects", ["requeued_at", "id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["near_misses.id"], name="audit_record"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_record_id", "audit", ["record_id", "id"], unique=False)
    op.create_table(
        "near_miss_rules",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["near_misses.id"], name="near_miss_rules_record"),
        sa.PrimaryKeyConstraint("record_id", "rule"),
    )
    op.create_index("near_miss_rules_rule", "near_miss_rules", ["rule"], unique=False)
    op.create_table(
        "near_miss_services",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["near_misses.id"], name="near_miss_services_record"),
        sa.PrimaryKeyConstraint("record_id", "service"),
    )
    op.create_index("near_miss_services_service", "near_miss_services", ["service"], unique=False)
    op.execute("INSERT INTO engine_owner (id, epoch, owner, last_commit) VALUES (1, 0, '', '')")
