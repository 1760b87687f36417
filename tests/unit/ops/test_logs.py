"""Logs: one way out for us and the libraries, constant events, fields for data, nothing on standard output."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
import structlog

from monitor.ops.logs import Format, Level, configure, get_logger, is_detailed

pytestmark = pytest.mark.usefixtures("unconfigured_logs")


def lines(captured: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in captured.splitlines()]


def test_json_lines_carry_event_fields_time_level_and_the_part_that_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    get_logger("engine").info("batch_committed", events=3)
    out, err = capsys.readouterr()
    (line,) = lines(err)
    assert out == ""
    assert str(line.pop("at")).endswith("Z")
    assert line == {"event": "batch_committed", "events": 3, "level": "info", "logger": "engine"}


def test_what_is_bound_once_is_on_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    log = get_logger("engine").bind(shard=3)
    log.info("a")
    log.info("b")
    assert [line["shard"] for line in lines(capsys.readouterr().err)] == [3, 3]


def test_a_library_speaks_through_the_same_door(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    logging.getLogger("uvicorn.error").warning("No room for %s", "127.0.0.1", extra={"color_message": "the same"})
    (line,) = lines(capsys.readouterr().err)
    assert (line["event"], line["message"]) == ("library_message", "No room for 127.0.0.1")
    assert line["logger"] == "uvicorn.error"
    assert "color_message" not in line


@pytest.mark.parametrize("name", ["sqlalchemy.engine", "aiokafka.consumer.fetcher", "uvicorn.access", "httpx"])
def test_a_chatty_library_is_kept_at_warnings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    logging.getLogger(name).info("chat")
    logging.getLogger(name).warning("trouble")
    assert [line["message"] for line in lines(capsys.readouterr().err)] == ["trouble"]


def test_debug_lets_the_libraries_chat(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "debug")
    logging.getLogger("sqlalchemy.engine").debug("chat")
    configure("json", "info")
    assert [line["message"] for line in lines(capsys.readouterr().err)] == ["chat"]


def test_an_error_is_one_line_of_json_and_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    password = "hunter2" + "-and-more"
    try:
        raise ValueError(len(password))
    except ValueError:
        get_logger("store").exception("commit_failed")
    err = capsys.readouterr().err
    (line,) = lines(err)
    assert "ValueError: 16" in str(line["exception"])
    assert password not in err


def test_console_lines_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console", "info")
    get_logger("engine").warning("watermark_stuck", behind=7)
    err = capsys.readouterr().err
    assert "watermark_stuck" in err
    assert "behind=7" in err
    assert "[engine]" in err


@pytest.mark.parametrize("sent", ["\x1b[2J", "a\x00b", "\u202eevil", "a\nengine_started"])
def test_no_text_of_a_sender_steers_the_terminal(sent: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("console", "info")
    get_logger("review").info("reported", service=sent)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()


def test_the_level_is_the_least_severity_that_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "warning")
    log = get_logger("x")
    log.info("a")
    log.warning("b")
    assert [line["event"] for line in lines(capsys.readouterr().err)] == ["b"]


def test_setting_up_again_replaces_what_was_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    log = get_logger("x")
    configure("console", "error")
    configure("json", "info")
    log.info("a")
    assert [line["event"] for line in lines(capsys.readouterr().err)] == ["a"]


def test_without_a_set_up_only_trouble_is_printed_and_never_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = get_logger("x")
    log.info("progress")
    log.error("trouble")
    out, err = capsys.readouterr()
    assert out == ""
    assert "trouble" in err
    assert "progress" not in err


def test_a_redirection_of_standard_error_after_the_set_up_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    configure("json", "info")
    elsewhere = io.StringIO()
    monkeypatch.setattr(sys, "stderr", elsewhere)
    get_logger("x").info("a")
    assert lines(elsewhere.getvalue())[0]["event"] == "a"


def test_what_json_cannot_say_is_said_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    get_logger("x").info("a", reasons={"late"})
    assert lines(capsys.readouterr().err)[0]["reasons"] == "{'late'}"


@pytest.mark.parametrize(("format", "level"), [("xml", "info"), ("json", "loud")])
def test_an_unknown_format_or_level_is_refused(format: Format, level: Level) -> None:
    with pytest.raises(ValueError, match="expected"):
        configure(format, level)


def test_loggers_know_what_a_test_wants_to_capture() -> None:
    configure("json", "info")
    with structlog.testing.capture_logs() as captured:
        get_logger("x").info("a", n=1)
    assert captured == [{"event": "a", "n": 1, "log_level": "info"}]


def test_whether_details_are_written_follows_the_level() -> None:
    configure("console", "debug")
    assert is_detailed()
    configure("console", "info")
    assert not is_detailed()
