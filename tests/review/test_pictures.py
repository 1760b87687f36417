"""README's pictures of queue and draft, in light and dark: made from the demo's story by `make pictures`."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from tests.support.browser import a_browser, a_page
from tests.support.service import demonstration

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
LOOKS = {f"{page}-{look}.png": (page, look == "dark") for page in ("queue", "draft") for look in ("light", "dark")}
MOST_BYTES = 200_000


@pytest.mark.browser
@pytest.mark.skipif("NEARMISS_PICTURES" not in os.environ, reason="`make pictures` draws README's pictures")
async def test_draw_them(tmp_path: Path) -> None:
    with demonstration(tmp_path) as (_, address):
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as api:
            found = (await api.get("/api/v1/near-misses?state=draft&text=certificate")).json()["items"]
        IMAGES.mkdir(exist_ok=True)
        paths = {"queue": "/", "draft": f"/near-misses/{found[0]['id']}"}
        async with a_browser() as browser:
            for name, (page, dark) in LOOKS.items():
                async with a_page(browser, dark=dark, width=1200, height=760) as watched:
                    await watched.page.goto(address + paths[page])
                    await watched.page.screenshot(path=IMAGES / name)


@pytest.mark.parametrize("name", LOOKS)
def test_readme_shows_it(name: str) -> None:
    assert f"docs/images/{name}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (IMAGES / name).stat().st_size < MOST_BYTES, "run: make pictures"
