"""What the API tells about the rules and the catalogue in force. Reads only; must not know how they are loaded."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import JSONResponse

from monitor.core.model.events import to_text
from monitor.ports import ActivePack
from monitor.review.api import GUARDED, PREFIX
from monitor.review.schemas import PackOut


def build_pack_router(active_pack: Callable[[], ActivePack]) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get(
        "/pack",
        tags=["operation"],
        summary=("Rules and catalogue in force"),
        responses={200: {"model": PackOut}, **GUARDED},
    )
    async def show_pack() -> JSONResponse:
        """Which rules and which catalogue decide now, and whether the files were changed to something unusable."""
        pack = active_pack()
        return JSONResponse(
            {
                "rules_hash": pack.rules_hash,
                "catalogue_hash": pack.catalogue_hash,
                "rules": pack.rules,
                "services": pack.services,
                "loaded_at": to_text(pack.loaded_at),
                "failed_at": to_text(pack.failed_at),
                "problems": list(pack.problems),
            }
        )

    return router
