"""The queue by time, by state and mode: a page that is sorted so reads no more than it shows."""

from __future__ import annotations

from alembic import op

revision = "records_0019"
down_revision = "records_0018"


def upgrade() -> None:
    op.create_index("near_misses_by_time", "near_misses", ["state", "mode", "opened_at", "id", "returns_at"])
