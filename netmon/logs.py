"""Log lines as logfmt or JSON on standard error, one line an entry."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LEVELS = ("debug", "info", "warn", "error")
FORMATS = ("logfmt", "json")


def configure(level: str, form: str) -> None:
    """Send everything of `level` and above to standard error in the given form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else LogfmtFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel({"warn": "WARNING"}.get(level, level.upper()))
    # These two tell every request and every job run at INFO: that is DEBUG to us.
    for chatty in ("apscheduler", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


class LogfmtFormatter(logging.Formatter):
    """`ts=… level=… logger=… msg="…"`, as Prometheus and its exporters write."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        return " ".join(f"{key}={_quoted(value)}" for key, value in _fields(self, record).items())


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the same keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        return json.dumps(_fields(self, record), ensure_ascii=False)


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, str]:
    fields = {
        "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": {"WARNING": "warn", "CRITICAL": "error"}.get(
            record.levelname, record.levelname.lower()
        ),
        "logger": record.name,
        "msg": record.getMessage(),
    }
    if record.exc_info:
        fields["exception"] = formatter.formatException(record.exc_info)
    return fields


def _quoted(text: str) -> str:
    if text and not any(character in ' "=\\' or not character.isprintable() for character in text):
        return text
    return json.dumps(text, ensure_ascii=False)
