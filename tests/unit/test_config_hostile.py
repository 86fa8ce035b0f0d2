"""Laws of the reader: whatever a file holds, it is answered with findings, never a traceback."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netmon.config import check, load_all, load_inventory, load_settings
from netmon.config.nodes import HAS_LIBYAML, ListNode, MapNode, Node, ScalarNode, compose
from netmon.config.report import Report
from netmon.errors import ConfigError
from netmon.model import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from netmon.model import Finding

_ROOT = Path(__file__).parents[2]
_GOOD = {
    name: (_ROOT / "config" / name).read_bytes()
    for name in ("agencies.yaml", "netmon.yaml", "calendar.yaml")
}
_SHORT = (_ROOT / "tests/data/config/base.yaml").read_bytes()
_SNIPPETS = (
    b"&a ", b"*a", b"<<: ", b"!!python/name:os.system ", b"!x ", b"---\n", b"...\n", b"%YAML 9.9\n",
    b"\t", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"[" * 50, b"{" * 50,
    b"? ", b": ", b"- ", b"| \n", b">-\n", b"'", b'"', b'"\\ud800"', b'"\\U00110000"', b'"\\x00"',
    b"# ", b"@", b"`", b"include: [.]\n", b"include: [agencies.yaml, '/dev/zero', '*']\n", b"~",
    b"null", b"id: a\n", b"agencies:\n", b"province: {}\n", b"\r", b"10.0.0.1/33", b"9" * 5_000,
)  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A good file, after a few accidents."""
    content = draw(st.sampled_from([*_GOOD.values(), _SHORT, _SHORT]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["flip", "cut", "line", "insert", "swap"])):
            case "flip":
                content = content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
            case "cut":
                content = content[:at]
            case "line":
                end = content.find(b"\n", at)
                content = content[:at] + content[end + 1 :]
            case "insert":
                content = content[:at] + draw(st.sampled_from(_SNIPPETS)) + content[at:]
            case "swap":
                size = draw(st.integers(1, 40))
                one, two = content[at : at + size], content[at + size : at + 2 * size]
                content = content[:at] + two + one + content[at + 2 * size :]
    return content


def _is_well_formed(finding: Finding) -> bool:
    one_line = finding.message.isprintable()
    return bool(finding.file) and finding.line >= 1 and finding.column >= 1 and one_line


def _findings_of(load: Callable[[Path], object], path: Path) -> tuple[Finding, ...]:
    try:
        load(path)
    except ConfigError as error:
        return error.findings
    return ()


def _load_every_way(directory: Path, content: bytes) -> None:
    path = directory / "netmon.yaml"
    path.write_bytes(content)
    (directory / "agencies.yaml").write_bytes(content)
    findings = check([path])
    assert all(_is_well_formed(finding) for finding in findings)
    assert list(findings) == sorted(findings)
    for load in (load_inventory, load_settings, load_all):
        findings = _findings_of(load, path)
        assert all(_is_well_formed(finding) for finding in findings)
        assert not findings or any(found.severity is Severity.ERROR for found in findings)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=mangled())
def test_a_mangled_file_is_answered_with_placed_findings_or_loads(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        _load_every_way(Path(directory), content)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode()))
def test_any_bytes_are_answered_with_placed_findings_or_load(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        _load_every_way(Path(directory), content)


@settings(max_examples=150, deadline=None)
@given(content=mangled())
def test_the_pure_parser_raises_nothing_either(content: bytes) -> None:
    text = content.decode("utf-8", "replace")[:4_000]
    report = Report()
    document = compose(text, "x", report, pure=True)
    assert document.complete or report.has_errors


@pytest.mark.parametrize("text", ['x: y\na: "\\U00110000"', "%YAML x\n---\na: b"])
def test_letters_that_do_not_exist_are_told_by_the_pure_parser(text: str) -> None:
    report = Report()
    assert not compose(text, "x", report, pure=True).complete
    (finding,) = report.findings()
    assert finding.message.startswith("not valid YAML")
    assert finding.message.isprintable()


def _shape(node: Node | None) -> object:
    match node:
        case ScalarNode():
            return (*node.place, node.text, node.plain)
        case ListNode():
            return (*node.place, [_shape(item) for item in node.items])
        case MapNode():
            pairs = node.entries.values()
            return (*node.place, [(_shape(key), _shape(value)) for key, value in pairs])
    return None


@pytest.mark.skipif(not HAS_LIBYAML, reason="PyYAML was built without libyaml")
@pytest.mark.parametrize("name", list(_GOOD))
def test_both_parsers_see_the_same_text_at_the_same_places(name: str) -> None:
    text = _GOOD[name].decode()
    one, two = (compose(text, name, Report(), pure=pure).root for pure in (False, True))
    assert _shape(one) == _shape(two)


_HOSTILE = {
    "open brackets": b"[" * 5_000_000,
    "open braces": b"{" * 5_000_000,
    "question marks": b"? " * 2_500_000,
    "colons": b"a: " * 1_600_000,
    "a quote that never ends": b'a: "' + b"x" * 4_900_000,
    "one comment": b"#" + b"x" * 4_900_000,
    "one tag": b"!" * 4_900_000,
    "bomb": b"".join(
        f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]\n".encode() for i in range(1, 5_000)
    ),
}


@pytest.mark.parametrize("content", _HOSTILE.values(), ids=_HOSTILE.keys())
def test_five_hostile_megabytes_are_answered(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "agencies.yaml"
    path.write_bytes(content)
    findings = check([path])
    assert 1 <= len(findings) <= 1001
    assert all(_is_well_formed(finding) for finding in findings)


def test_thousands_of_wrong_parents_are_answered_without_guessing_for_hours(
    tmp_path: Path,
) -> None:
    entries = (
        f"  - {{id: a{i}, name: x, kind: y{i}, parent: p{i}, router: 10.0.0.1}}\n"
        for i in range(3_000)
    )
    path = tmp_path / "agencies.yaml"
    path.write_text("agencies:\n" + "".join(entries))
    findings = check([path])
    assert findings[-1].message == "there are more than 1000 findings: mend these first"
