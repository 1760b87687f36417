"""Whether the words of a commit or a run say that it takes something back, as Git and its hosts write it themselves."""

from __future__ import annotations

import re
from typing import Any

from monitor.decode.reading import text

_REVERTS = re.compile(
    r"\s*(?:Revert|Roll ?back)\b[: ]*[\"'\u201c]|\s*revert(?:\(.{1,60}\))?!?: |.*\bThis reverts commit [0-9a-f]{7}"
    r"|Merge (?:pull request #\d+ from|(?:remote-tracking )?branch) \S*\brevert-",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 2000


def reverts(message: Any) -> bool:
    """Whether a message is that of a revert: `Revert "…"`, `revert: …`, or the merge of a branch of the button."""
    said = text(message)
    return said is not None and _REVERTS.match(said[:_LONGEST]) is not None
