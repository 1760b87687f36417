"""Records as CSV (RFC 4180). No cell is a formula for the program that opens it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from monitor.core.model.events import SECOND, to_text
from monitor.ports import Record
from monitor.review.exports.markdown import visible
from monitor.review.rendering import standing_verdict

COLUMNS = (
    *("id", "title", "state", "reason", "verdict", "family", "service", "environment", "first_sign_at"),
    *("seconds_to_action", "margin", "risk", "decided_at", "why_near_miss", "what_saved_it", "what_next_time"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%", "＝", "＋", "－", "＠")


def to_csv(records: Iterable[Record]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for record in records:
        draft, risk = record.draft, record.handling.risk
        seconds = (draft.intervened_at - draft.first_sign_at) / SECOND
        cells = (
            *(draft.id, draft.title, str(record.state), record.reason, standing_verdict(record), draft.family),
            *(draft.service, draft.environment, to_text(draft.first_sign_at), f"{seconds:g}"),
            *(draft.margin.text if draft.margin else "", risk.index if risk else "", to_text(record.decided_at)),
            *(record.answers.why_near_miss, record.answers.what_saved_it, record.answers.what_next_time),
        )
        writer.writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()


def safe_cell(cell: object) -> str:
    """Text that begins like a formula gets an apostrophe, by which spreadsheets take it for text."""
    text = visible("" if cell is None else str(cell))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
