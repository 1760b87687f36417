"""The OpenAPI document against a live service: no server error, and no answer that the document does not have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import MakeService
from tests.support.waiting import until

EXAMPLES = "20"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_the_document_says_what_the_service_answers(
    make_service: MakeService, lines: list[bytes], tmp_path: Path
) -> None:
    service = make_service().start()
    service.post("/ingest/events", b"\n".join(lines))
    until(service.near_misses, "there are drafts")
    config = tmp_path / "schemathesis.toml"
    config.write_text(f'[parameters]\nrecord_id = "{service.near_misses()[0]["id"]}"\n')
    tested = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
            *(service.address + "/api/v1/openapi.json", "--checks", CHECKS, "--max-examples", EXAMPLES),
            *("--seed", "1", "--generation-database", "none", "--no-color"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert tested.returncode == 0, tested.stdout[-4000:] + tested.stderr[-1000:]
    assert service.is_ready()
    assert "Traceback" not in service.log()
