"""What a headline leaves out of a text is found in a time that grows as the text does."""

from __future__ import annotations

from time import process_time

import pytest

from monitor.core.deciding.headline import for_people


@pytest.mark.parametrize("repeated", [" ", "(", "( ", "@ :"])
def test_no_run_of_what_stands_before_a_hash_takes_long(repeated: str) -> None:
    text = "a" + (repeated * 4096)[:4096] + "x"
    began = process_time()
    for_people(text)
    assert process_time() - began < 0.25
