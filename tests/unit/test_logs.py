"""A log entry is one line, whatever is in it."""

from __future__ import annotations

import json
import logging

import pytest

from netmon.logs import JsonFormatter, LogfmtFormatter

HOSTILE = 'UBND xã "Tân Hội Đông"\nlevel=error msg=forged \\ \x1b[31m'


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("netmon.judge", logging.WARNING, "", 0, message, None, None)


@pytest.mark.parametrize("formatter", [LogfmtFormatter(), JsonFormatter()])
def test_hostile_text_stays_in_its_field_and_on_its_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record(HOSTILE))
    assert "\n" not in line
    assert "\x1b" not in line


def test_logfmt_quotes_only_where_it_must() -> None:
    line = LogfmtFormatter().format(record("Sở Nội vụ"))
    assert line.endswith('level=warn logger=netmon.judge msg="Sở Nội vụ"')


def test_json_holds_the_message_to_the_letter() -> None:
    fields = json.loads(JsonFormatter().format(record(HOSTILE)))
    assert fields["msg"] == HOSTILE
    assert fields["level"] == "warn"
