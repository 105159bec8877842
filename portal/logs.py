"""Logs: one JSON line per event on standard error, in UTC, with references and never with personal data."""

import sys

import structlog


def configure() -> None:
    """Set structured logging up for this process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
