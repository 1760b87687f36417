"""Sets up logging, once, for this program and the libraries in it: constant event names, data in fields.

Writes to standard error only, as lines for people or as JSON; must not know what is logged. Payloads are never
logged, identifiers are.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

Format = Literal["console", "json"]
Level = Literal["debug", "info", "warning", "error"]
Logger = structlog.stdlib.BoundLogger

_ROOT = "nearmiss"
_QUIET_LIBRARIES = {
    "aiokafka": logging.WARNING,
    "aiosqlite": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "kafka": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "uvicorn": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.WARNING,
}


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the moment, so that a redirection after the set-up is honoured."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        raise AttributeError(f"logs go to standard error, not to {value!r}")


def configure(format: Format = "console", level: Level = "info") -> None:
    """Set logging up; calling it again replaces what was set. Raises ValueError for a format or level it does not know.

    Libraries that log through the standard library take the same way out; those that are chatty are kept at warnings,
    except at level "debug".
    """
    if format not in ("console", "json"):
        raise ValueError(f"log format {format!r}: expected console or json")
    if level not in ("debug", "info", "warning", "error"):
        raise ValueError(f"log level {level!r}: expected debug, info, warning or error")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # Loggers are made at import time, before the format is known: each call must look at the set-up anew.
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _rename_foreign],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(format)],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _StandardError)]:
        root.removeHandler(old)
    root.addHandler(handler)
    number = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(number)
    logging.getLogger(_ROOT).setLevel(number)
    for name, at_least in _QUIET_LIBRARIES.items():
        library = logging.getLogger(name)
        # uvicorn brings handlers of its own, which would print each line twice and in another format.
        library.handlers.clear()
        library.propagate = True
        library.setLevel(number if level == "debug" else max(number, at_least))


def get_logger(name: str) -> Logger:
    """A logger whose lines carry `name`, the part of the program that speaks, such as "engine".

    Before `configure` was called, warnings and errors are printed for people and the rest is silent, so that a command
    that never sets logging up still says what went wrong, and says nothing on standard output.
    """
    if not structlog.is_configured():
        configure("console", "warning")
    return structlog.stdlib.get_logger(f"{_ROOT}.{name}")


def is_detailed() -> bool:
    """Whether lines of level debug are written at all, for whoever would make many only to have them dropped."""
    return logging.getLogger(_ROOT).isEnabledFor(logging.DEBUG)


def _rename_foreign(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library's sentence is data: the event is "library_message" and the sentence a field beside it."""
    event["message"] = event.get("event")
    event.pop("color_message", None)  # uvicorn's second copy of its sentence, with escape codes
    event["event"] = "library_message"
    return event


def _shorten_logger(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    name = event.get("logger")
    if isinstance(name, str):
        event["logger"] = name.removeprefix(f"{_ROOT}.")
    return event


def _show_controls(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What steers a terminal, or turns the text around, is shown as its code: senders choose many of these texts."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in event.items()}


def visible(text: str) -> str:
    """The text with its escape, as Python writes it, for each character that has no form of its own."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _renderers(format: Format) -> list[Processor]:
    if format == "json":
        return [
            _shorten_logger,
            # As one text and without the local variables: those may hold payloads and secrets.
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=_as_text, sort_keys=False),
        ]
    return [
        _shorten_logger,
        _show_controls,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _as_text(value: Any) -> str:
    return str(value)
