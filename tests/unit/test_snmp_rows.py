"""Walks end where they must and keep what was read; a GET makes the best of every error status."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.model import SnmpStatus
from netmon.probes.snmp.message import ErrorStatus, Pdu, PduType
from netmon.probes.snmp.sorting import Sorting
from netmon.probes.snmp.values import Missing, Oid, Tag, VarBind
from netmon.probes.snmp.walk import Walker

ROOT = (1, 3, 6, 1)


def row(*arcs: int, value: int = 1) -> VarBind:
    return VarBind((*ROOT, *arcs), Tag.INTEGER, value)


def walked(*answers: list[VarBind], limit_rows: int = 100) -> Walker:
    walker = Walker(ROOT, limit_rows)
    for answer in answers:
        assert not walker.is_over
        walker.take(answer)
    return walker


def test_a_walk_ends_complete_where_the_subtree_ends() -> None:
    walk = walked([row(1), row(2)], [row(3), VarBind((1, 3, 6, 2), Tag.INTEGER, 9)]).result()
    assert (walk.rows, walk.complete, walk.trouble) == ([row(1), row(2), row(3)], True, "")


def test_a_walk_ends_complete_where_the_mib_ends() -> None:
    end = VarBind((*ROOT, 2), Tag.END_OF_MIB_VIEW, Missing.END_OF_MIB_VIEW)
    walk = walked([row(1), row(2), end]).result()
    assert (len(walk.rows), walk.complete, walk.status) == (2, True, SnmpStatus.OK)


def test_a_row_without_a_value_is_a_row() -> None:
    empty = VarBind((*ROOT, 2), Tag.NULL, Missing.NULL)
    walker = walked([row(1), empty, row(3)])
    assert not walker.is_over
    assert walker.result().rows[1] == empty


def test_rows_out_of_order_are_kept_and_told() -> None:
    walker = walked([row(1), row(10), row(2)], [row(3), VarBind((1, 4), Tag.INTEGER, 1)])
    walk = walker.result()
    assert [found.oid[-1] for found in walk.rows] == [1, 10, 2, 3]
    assert walk.complete
    assert "1 rows came out of order" in walk.trouble


def test_a_loop_ends_the_walk_and_keeps_each_row_once() -> None:
    walk = walked([row(1), row(2), row(3), row(2), row(3)]).result()
    assert [found.oid[-1] for found in walk.rows] == [1, 2, 3]
    assert (walk.complete, walk.status) == (False, SnmpStatus.PARTIAL)
    assert "circles at 1.3.6.1.2" in walk.trouble


def test_an_agent_that_repeats_the_question_is_a_loop() -> None:
    walk = walked([VarBind(ROOT, Tag.INTEGER, 1)]).result()
    assert (walk.rows, walk.complete) == ([], False)


def test_an_endless_table_ends_at_the_limit_of_rows() -> None:
    walk = walked([row(arc) for arc in range(200)], limit_rows=50).result()
    assert (len(walk.rows), walk.complete, walk.status) == (50, False, SnmpStatus.PARTIAL)


def test_a_table_of_huge_texts_ends_at_the_limit_of_octets() -> None:
    walker = Walker(ROOT, 1_000_000)
    for arc in range(1, 1000):
        walker.take([VarBind((*ROOT, arc), Tag.OCTET_STRING, bytes(60_000))])
        if walker.is_over:
            break
    assert 200 < len(walker.result().rows) < 300


def test_an_answer_without_rows_ends_the_walk() -> None:
    walk = walked([row(1)], []).result()
    assert (walk.complete, walk.status) == (False, SnmpStatus.MALFORMED)


@settings(max_examples=100)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3), min_size=1, max_size=40))
def test_no_walk_holds_a_row_twice_whatever_the_agent_says(arcs: list[list[int]]) -> None:
    walker = Walker(ROOT, 1000)
    for suffix in arcs:
        if not walker.is_over:
            walker.take([row(*suffix)])
    names = [found.oid for found in walker.result().rows]
    assert len(names) == len(set(names))


OIDS = tuple((*ROOT, arc) for arc in range(8))


def failing(bad: dict[Oid, int], *, has_index: bool, part: tuple[Oid, ...]) -> Pdu:
    """Answer as an agent does that fails on some variables."""
    for index, oid in enumerate(part, 1):
        if oid in bad:
            return Pdu(PduType.RESPONSE, 1, bad[oid], index if has_index else 0, [])
    return Pdu(PduType.RESPONSE, 1, 0, 0, [VarBind(oid, Tag.INTEGER, oid[-1]) for oid in part])


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(OIDS),
        st.sampled_from([ErrorStatus.NO_SUCH_NAME, ErrorStatus.GENERAL_ERROR]),
    ),
    st.booleans(),
)
def test_bad_variables_never_cost_the_good_ones(bad: dict[Oid, int], has_index: bool) -> None:  # noqa: FBT001  # hypothesis passes it by position
    sorting = Sorting(OIDS)
    sorting.queue(OIDS, 5)
    questions = 0
    while sorting.parts:
        part = sorting.parts.popleft()
        assert sorting.sort(part, failing(bad, has_index=has_index, part=part))
        questions += 1
    for oid, found in zip(OIDS, sorting.result(), strict=True):
        assert found.oid == oid
        if oid not in bad:
            assert found.value == oid[-1]
        elif bad[oid] == ErrorStatus.NO_SUCH_NAME:
            assert found.value is Missing.NO_SUCH_OBJECT
        else:
            assert found.value is Missing.NULL
    assert questions < 2 * len(OIDS)


def test_an_agent_that_names_the_culprit_is_asked_only_once_more() -> None:
    sorting = Sorting(OIDS)
    bad: dict[Oid, int] = {OIDS[3]: ErrorStatus.GENERAL_ERROR}
    assert sorting.sort(OIDS, failing(bad, has_index=True, part=OIDS))
    assert list(sorting.parts) == [OIDS[:3] + OIDS[4:]]


def test_an_agent_that_finds_everything_too_big_is_asked_a_bounded_number_of_times() -> None:
    sorting = Sorting(OIDS)
    sorting.queue(OIDS, 50)
    questions = 0
    while sorting.parts:
        sorting.sort(sorting.parts.popleft(), Pdu(PduType.RESPONSE, 1, 1, 0, []))
        questions += 1
    assert questions < 2 * len(OIDS)
    assert {found.value for found in sorting.result()} == {Missing.NULL}


def test_half_an_answer_gives_half_the_values() -> None:
    sorting = Sorting(OIDS)
    rows = [VarBind(OIDS[5], Tag.INTEGER, 5), VarBind((1, 2, 3), Tag.INTEGER, 9)]
    assert sorting.sort(OIDS, Pdu(PduType.RESPONSE, 1, 0, 0, rows))
    assert [found.value for found in sorting.result()] == [
        5 if oid == OIDS[5] else Missing.NULL for oid in OIDS
    ]


def test_an_answer_about_something_else_is_told() -> None:
    rows = [VarBind((1, 2, 3), Tag.INTEGER, 9)]
    assert not Sorting(OIDS).sort(OIDS, Pdu(PduType.RESPONSE, 1, 0, 0, rows))
