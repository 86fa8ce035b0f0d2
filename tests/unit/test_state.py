"""Slots stay with their links; the outage book tells what is open and what ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netmon.model import Cause, LinkKey, OutageEnd, OutageNote, OutageStart
from netmon.state import OutageBook, Slots

KEYS = st.lists(
    st.integers(0, 30).map(lambda number: LinkKey(f"agency-{number}", "primary")), unique=True
)


@given(st.lists(KEYS, min_size=1, max_size=8))
def test_a_link_keeps_its_slot_as_long_as_it_stays(history: list[list[LinkKey]]) -> None:
    slots = Slots()
    before: dict[LinkKey, int] = {}
    for keys in history:
        removed, added = slots.replace(keys)
        after = {key: slots[key] for key in slots}
        assert set(after) == set(keys)
        assert len(set(after.values())) == len(after), "two links share a slot"
        assert all(slot < slots.capacity for slot in after.values())
        assert {key: before[key] for key in before if key not in after} == removed
        assert {key: after[key] for key in after if key not in before} == added
        assert all(after[key] == before[key] for key in before if key in after)
        before = after


@given(st.lists(KEYS, min_size=1, max_size=8))
def test_slots_never_grow_beyond_the_most_links_there_were(history: list[list[LinkKey]]) -> None:
    slots = Slots()
    for keys in history:
        slots.replace(keys)
    # A reload may hold old and new links at once only while it frees the old ones first.
    assert slots.capacity <= max(len(keys) for keys in history)


def test_an_outage_moves_from_open_to_recent_and_takes_its_cause_along() -> None:
    key = LinkKey("so-noi-vu", "primary")
    book = OutageBook()
    book.apply([OutageStart(key, 10, 12)])
    assert [outage.end_us for outage in book.open] == [None]
    book.apply([OutageEnd(key, 10, 40, 42), OutageNote(key, 10, 60, cause=Cause.POWER)])
    assert book.open == ()
    assert [(o.start_us, o.end_us, o.cause) for o in book.recent] == [(10, 40, Cause.POWER)]


def test_outages_of_removed_links_leave_the_book() -> None:
    gone, kept = LinkKey("a", "primary"), LinkKey("b", "primary")
    book = OutageBook()
    book.apply([OutageStart(gone, 1, 1), OutageStart(kept, 2, 2), OutageEnd(kept, 2, 3, 3)])
    book.forget([gone])
    assert book.open == ()
    assert [outage.key for outage in book.recent] == [kept]
