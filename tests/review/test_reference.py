"""The reference page of the API knows every route, parameter, reason, state and problem that there is."""

from __future__ import annotations

from pathlib import Path

from monitor.core.model.near_miss import Dismissal, State
from tests.review.conftest import Desk

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


async def test_the_page_and_the_document_agree(desk: Desk) -> None:
    page = PAGE.read_text(encoding="utf-8")
    document = await desk.get("/openapi.json")
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert f"## `{method.upper()} {path.replace('{record_id}', '{id}')}`" in page
            for parameter in route.get("parameters", []):
                if parameter["in"] == "query":
                    assert f"`{parameter['name']}`" in page
    for name in ("NearMissDetail", "NearMissItem", "AnswersIn", "DecisionIn"):
        own = set(document["components"]["schemas"][name]["properties"])
        inherited = set(document["components"]["schemas"]["NearMissItem"]["properties"]) if "Detail" in name else set()
        published = {"version", "contradicted", "decided_at", "decided_by"}
        for field in (own - inherited) if name != "NearMissItem" else published:
            assert field in page, field
    for constant in (*Dismissal, *State):
        assert f"`{constant}`" in page
