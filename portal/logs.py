"""Logs: one JSON line per event on standard error, in UTC, with references and never with personal data.

Messages of errors may quote what somebody typed. So of an error its kind is logged, and where it came from: neither
its words, nor lines of code, nor values. What other libraries log comes through the same door, on one line each.
"""

import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

ROOT = Path(__file__).resolve().parent.parent
PLACES_AT_MOST = 30
SERVER = {"loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": True}}}
"""For the server, which would log in its own way: what it has to say goes through the door that stands open."""
Event = MutableMapping[str, Any]

log = structlog.get_logger("process")


class _Door(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment, as our own lines are."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure() -> None:
    """Set logging up for a process that serves or works: our lines, those of libraries, and what nobody caught."""
    configure_ours()
    door = _Door()
    door.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_steps()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[door], level=logging.WARNING, force=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def configure_ours() -> None:
    """Set up our own lines alone: for a command, whose errors are for who typed it."""
    structlog.configure(
        processors=[*_steps(), structlog.processors.JSONRenderer()],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _steps() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        traced,
    ]


def traced(logger: Any, method: str, event: Event) -> Event:
    """Put in the place of an error its kind and where it came from, and the same of what it came of."""
    told = event.pop("exc_info", None)
    error = told[1] if isinstance(told, tuple) else sys.exc_info()[1] if told is True else told
    if isinstance(error, BaseException):
        event["error"] = [{"kind": _kind(one), "at": places(one.__traceback__)} for one in chain(error)]
    return event


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error, what it came of, and so on."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def places(trace: TracebackType | None) -> list[str]:
    """Such as `portal/booking/acts.py:120 book`, the last ones: file, line and function."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        path = Path(code.co_filename)
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(*path.parts[-2:])
        found.append(f"{shown}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-PLACES_AT_MOST:]


def _kind(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return
    log.critical("process.failed", exc_info=(kind, error, trace))
