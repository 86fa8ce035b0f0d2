"""Tables that a test has printed at the end of the run, whichever worker ran it."""

from __future__ import annotations

TABLE = "table"
"""`record_property(TABLE, text)` has the text printed (tests/conftest.py)."""
