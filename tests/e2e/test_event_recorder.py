"""The event recorder of a real, newer Alertmanager: by webhook as the page of tools says, and by the file it names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.support.recorder import FLAG, RECORDED, elsewhere, fire, kinds_of, settings, silence
from tests.support.service import Service
from tests.support.shop import alertmanager, newer_alertmanager
from tests.support.tool_pages import SECRET
from tests.support.waiting import until


def test_what_nobody_was_paged_for_and_who_silenced_what_is_recorded(tmp_path: Path) -> None:
    program = newer_alertmanager()
    secret = {"NEARMISS_SECRETS__ALERTMANAGER_EVENTS": SECRET}
    service = Service(tmp_path, "--database", f"sqlite:///{tmp_path / 'n.db'}", environment=secret)
    try:
        service.start()
        with alertmanager(tmp_path, settings(service.address), str(program), FLAG) as address:
            silence(address, "DiskFills")
            fire(address, "DiskFills")
            fire(address, "ErrorRate")

            def recorded() -> Counter[str] | None:
                sources = service.get("/api/v1/sources").json()["sources"]
                kinds = Counter(
                    next((each["kinds"] for each in sources if each["source"] == "alertmanager-events"), {})
                )
                return kinds if kinds["alert.fired"] >= 2 and kinds["alert.silenced"] else None

            until(recorded, "both alerts and the silence are recorded")
        (row,) = (
            each for each in service.get("/api/v1/sources").json()["sources"] if each["source"] == "alertmanager-events"
        )
        assert [reason for reason in row["reasons"] if not reason["understood"]] == []
    finally:
        service.close()


def test_its_file_holds_the_same(tmp_path: Path) -> None:
    program, file = newer_alertmanager(), tmp_path / "events.jsonl"
    with alertmanager(tmp_path, elsewhere(file_outputs={"path": str(file)}), str(program), FLAG) as address:
        silence(address, "DiskFills")
        fire(address, "DiskFills")
        fire(address, "ErrorRate")

        def written() -> bool:
            # The last line may be half written.
            return kinds_of(file.read_bytes().rpartition(b"\n")[0] + b"\n") == RECORDED

        until(lambda: file.exists() and file.stat().st_size > 0, "something is recorded")
        until(written, "both alerts and the silence are in the file")
