"""README's picture of a draft, in light and dark: made from the demo story by `make pictures`, and there otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from tests.support.browser import a_browser, a_page
from tests.support.service import demonstration

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
LOOKS = {"draft-light.png": False, "draft-dark.png": True}
MOST_BYTES = 200_000


@pytest.mark.browser
@pytest.mark.skipif("NEARMISS_PICTURES" not in os.environ, reason="`make pictures` draws README's pictures")
async def test_draw_them(tmp_path: Path) -> None:
    with demonstration(tmp_path) as (_, address):
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as api:
            found = (await api.get("/api/v1/near-misses?state=draft&text=certificate")).json()["items"]
        IMAGES.mkdir(exist_ok=True)
        async with a_browser() as browser:
            for name, dark in LOOKS.items():
                async with a_page(browser, dark=dark, width=1200, height=760) as watched:
                    await watched.page.goto(f"{address}/near-misses/{found[0]['id']}")
                    await watched.page.screenshot(path=IMAGES / name)


@pytest.mark.parametrize("name", LOOKS)
def test_readme_shows_it(name: str) -> None:
    assert f"docs/images/{name}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (IMAGES / name).stat().st_size < MOST_BYTES, "run: make pictures"
