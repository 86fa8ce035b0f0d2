"""Each bad file is answered with exactly these words, at exactly this place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netmon.config import check, load_all, load_inventory, load_settings, nodes
from netmon.errors import ConfigError
from netmon.model import Severity

_DATA = Path(__file__).parents[1] / "data" / "config"
_BASE = (_DATA / "base.yaml").read_text(encoding="utf-8")


def _cases(file: str) -> list[tuple[str, str, str]]:
    """Return (name, YAML, findings) of every case in a file of the table."""
    text = (_DATA / file).read_text(encoding="utf-8")
    blocks = re.split(r"^=== ", text, flags=re.MULTILINE)[1:]
    split = (block.split("\n", 1) for block in blocks)
    return [(name, *rest.split("--- says\n")) for name, rest in split]


def _params(file: str) -> list[object]:
    return [pytest.param(body, says, id=name) for name, body, says in _cases(file)]


_TABLES = ("bad_entries.txt", "bad_inventories.txt", "bad_settings.txt", "bad_calendars.txt")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that findings name relative files."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _said(path: Path) -> str:
    return "".join(f"{finding}\n".removeprefix(f"{path}:") for finding in check([path]))


@pytest.mark.parametrize(("entry", "says"), _params("bad_entries.txt"))
def test_a_bad_agency_is_answered_with_these_words(directory: Path, entry: str, says: str) -> None:
    path = Path("agencies.yaml")
    (directory / path).write_text(_BASE + entry, encoding="utf-8")
    assert _said(path) == says


@pytest.mark.parametrize(("body", "says"), _params("bad_inventories.txt"))
def test_a_bad_inventory_is_answered_with_these_words(
    directory: Path, body: str, says: str
) -> None:
    path = Path("agencies.yaml")
    (directory / path).write_text(body, encoding="utf-8")
    assert _said(path) == says


@pytest.mark.parametrize(("body", "says"), _params("bad_settings.txt"))
def test_bad_settings_are_answered_with_these_words(
    directory: Path, monkeypatch: pytest.MonkeyPatch, body: str, says: str
) -> None:
    monkeypatch.delenv("A", raising=False)
    path = Path("netmon.yaml")
    good = "province: {id: p, name: P, name_en: P}\ncentre: {name: C}\nagencies: []\n"
    (directory / "a.yaml").write_text(good, encoding="utf-8")
    (directory / path).write_text(body, encoding="utf-8")
    assert _said(path) == says


@pytest.mark.parametrize(("body", "says"), _params("bad_calendars.txt"))
def test_a_bad_calendar_is_answered_with_these_words(directory: Path, body: str, says: str) -> None:
    path = Path("calendar.yaml")
    (directory / path).write_text(body, encoding="utf-8")
    assert _said(path) == says


def test_the_table_is_long_and_names_every_case_once() -> None:
    names = [(table, name) for table in _TABLES for name, _, _ in _cases(table)]
    assert len(names) >= 220
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("table", _TABLES)
def test_no_message_repeats_a_secret_that_was_written_in_a_file(table: str) -> None:
    with_secret = [says for _, body, says in _cases(table) if "hunter2" in body]
    assert table not in {"bad_entries.txt", "bad_settings.txt"} or with_secret
    assert not any("hunter2" in says for says in with_secret)


@pytest.mark.parametrize(("entry", "says"), _params("bad_entries.txt"))
def test_loading_raises_the_same_findings_that_check_returns(
    directory: Path, entry: str, says: str
) -> None:
    path = directory / "agencies.yaml"
    path.write_text(_BASE + entry, encoding="utf-8")
    if all(": warning: " in line for line in says.splitlines()):
        assert load_inventory(path).warnings == check([path])
        return
    with pytest.raises(ConfigError) as raised:
        load_inventory(path)
    assert raised.value.findings == check([path])


_BYTES = {
    "empty": (b"", "1:1: the file is empty"),
    "blank": (b" \n\n", "1:1: the file is empty"),
    "byte order mark": (
        b"\xef\xbb\xbf" + _BASE.encode(),
        "1:1: starts with a byte order mark (BOM): save it as UTF-8 without BOM",
    ),
    "Latin-1": (
        _BASE.encode() + "  - {name: Xã}".encode("latin-1"),
        "9:13: byte 0xe3 is not UTF-8: save the file as UTF-8",
    ),
    "UTF-16": (_BASE.encode("utf-16"), "1:1: byte 0xff is not UTF-8: save the file as UTF-8"),
    "NUL": (_BASE.encode() + b"\0", "9:1: control character U+0000: remove it"),
    "escape": (b"a: \x1b[31m", "1:4: control character U+001B: remove it"),
    "next line": ("a: x\u0085y".encode(), "1:5: control character U+0085: remove it"),
    "line separator": ("a: x\u2028y".encode(), "1:5: control character U+2028: remove it"),
    "carriage return": (b"a: x\ry: z", "1:5: control character U+000D: remove it"),
    "tab": (
        _BASE.encode() + b"\t- {id: a}\n  \t- {id: b}\n",
        (
            "9:1: a tab is not indentation in YAML: write spaces\n"
            "10:3: a tab is not indentation in YAML: write spaces"
        ),
    ),
    "deep": (
        b"agencies: " + b"[" * 5_000,
        "1:30: nested more than 20 deep: nothing here needs that",
    ),
    "8 MB": (
        b"#" * 8_000_001,
        (
            "1:1: has 8.0 MB, more than the 8 MB that netmon reads: split it with include, "
            "or raise inventory_max_size in the settings"
        ),
    ),
}


@pytest.mark.parametrize(
    ("content", "says"), [pytest.param(*case, id=name) for name, case in _BYTES.items()]
)
def test_bytes_that_are_no_text_of_ours_are_told(
    directory: Path, content: bytes, says: str
) -> None:
    path = Path("agencies.yaml")
    (directory / path).write_bytes(content)
    assert set(says.splitlines()) <= set(_said(path).splitlines())


def test_a_file_of_endless_values_is_answered_at_the_limit(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "MAX_NODES", 1000)
    path = Path("agencies.yaml")
    (directory / path).write_text("agencies: [" + "x: [1]," * 300)
    assert "more than 1000 values: split the file" in _said(path)


def test_windows_line_ends_are_read_with_the_same_places(directory: Path) -> None:
    path = Path("agencies.yaml")
    entry = "  - {id: a, name: A, kind: comune, router: 10.0.0.2}\n"
    (directory / path).write_bytes((_BASE + entry).replace("\n", "\r\n").encode())
    assert _said(path) == "9:28: there is no kind 'comune'; did you mean 'commune'?\n"


def test_files_that_cannot_be_read_are_told(directory: Path) -> None:
    (directory / "folder").mkdir()
    (directory / "loop").symlink_to("loop")
    assert _said(Path("folder")) == "1:1: is a directory: name a file in it\n"
    assert _said(Path("nowhere")) == "1:1: there is no such file\n"
    assert _said(Path("loop")) == "1:1: cannot be read: Too many levels of symbolic links\n"
    assert _said(Path("/dev/zero")) == "1:1: is not a regular file\n"
    assert _said(Path("x" * 300)) == "1:1: cannot be read: File name too long\n"
    assert _said(Path("a\0b")) == "a\\x00b:1:1: cannot be read: embedded null byte\n"


def test_names_of_files_too_long_for_the_system_are_not_there(directory: Path) -> None:
    long = "x" * 300
    (directory / "agencies.yaml").write_text(_BASE + f"include: [{long}, '{long}*', {long}/a]\n")
    (directory / "netmon.yaml").write_text(
        f"inventory: {long}\ncalendar: {long}\nstorage: {{path: x}}\n"
    )
    found = check([Path("agencies.yaml"), Path("netmon.yaml")])
    assert [(finding.line, finding.column) for finding in found] == [
        (9, 11), (9, 313), (9, 618), (2, 11), (1, 1)
    ]  # fmt: skip


def test_files_that_include_each_other_are_told_with_the_way(directory: Path) -> None:
    head = "province: {id: p, name: P, name_en: P}\ncentre: {name: C}\n"
    (directory / "agencies.yaml").write_text(head + "include: [b.yaml]\n")
    (directory / "b.yaml").write_text("include: [c.yaml]\n")
    (directory / "c.yaml").write_text("include: [b.yaml]\n")
    says = "c.yaml:1:11: the files include each other: b.yaml → c.yaml → b.yaml"
    assert [str(finding) for finding in check([Path("agencies.yaml")])] == [says]


def test_a_file_included_twice_is_told_with_the_first_place(directory: Path) -> None:
    head = "province: {id: p, name: P, name_en: P}\ncentre: {name: C}\n"
    (directory / "agencies.yaml").write_text(head + "include: [b.yaml, 'b*.yaml']\n")
    (directory / "b.yaml").write_text("agencies: []\n")
    says = "agencies.yaml:3:19: 'b.yaml' is included twice; the first is at agencies.yaml:3:11"
    assert [str(finding) for finding in check([Path("agencies.yaml")])] == [says]


def test_duplicates_across_files_name_the_other_file(directory: Path) -> None:
    (directory / "agencies.yaml").write_text(_BASE + "include: [b.yaml]\n")
    entry = "{id: ubnd-cai-be, name: B, kind: commune, router: 10.0.0.1}"
    (directory / "b.yaml").write_text(f"province: {{id: p}}\nagencies:\n- {entry}\n")
    assert [str(finding) for finding in check([Path("agencies.yaml")])] == [
        "b.yaml:1:1: key 'province' is not read here: it stands in the file that includes this one",
        "b.yaml:3:8: agency 'ubnd-cai-be' is there twice; the first is at agencies.yaml:8:10",
        (
            "b.yaml:3:53: address 10.0.0.1 is used twice; "
            "first by the router of 'ubnd-cai-be' at agencies.yaml:8:72"
        ),
    ]


def test_an_unreadable_part_does_not_make_its_agencies_missing(directory: Path) -> None:
    entry = "  - {id: a, name: A, kind: commune, parent: b, router: 10.0.0.2}\n"
    (directory / "agencies.yaml").write_text(_BASE + entry + "include: [b.yaml]\n")
    (directory / "b.yaml").write_bytes(b"\xff")
    says = "b.yaml:1:1: byte 0xff is not UTF-8: save the file as UTF-8"
    assert [str(finding) for finding in check([Path("agencies.yaml")])] == [says]


_SETTINGS = """\
inventory: agencies.yaml
storage: {path: x}
modules: {echo: {slow: {interval: 5s}}, snmp: {slow: {}}}
credentials:
  snmp: {province: {version: 2c, community: {env: NETMON_TEST_UNSET}}}
"""


def test_names_of_the_settings_are_checked_where_the_inventory_uses_them(directory: Path) -> None:
    entry = (
        "  - {id: a, name: A, kind: commune, router: {address: 10.0.0.2, snmp: pruvince, ssh: x},"
        " echo_module: slwo, snmp_module: slow, links: [{echo_module: default}]}\n"
    )
    (directory / "agencies.yaml").write_text(_BASE + entry)
    (directory / "netmon.yaml").write_text(_SETTINGS)
    with pytest.raises(ConfigError) as raised:
        load_all(Path("netmon.yaml"))
    assert [str(finding) for finding in raised.value.findings] == [
        (
            "agencies.yaml:9:71: no SNMP credential 'pruvince' in the settings; "
            "did you mean 'province'?"
        ),
        "agencies.yaml:9:86: no SSH credential 'x' in the settings",
        "agencies.yaml:9:103: no echo module 'slwo' in the settings; did you mean 'slow'?",
    ]


def test_bad_settings_do_not_hide_what_is_wrong_with_the_inventory(directory: Path) -> None:
    (directory / "agencies.yaml").write_text(_BASE + "  - {id: a}\n")
    (directory / "netmon.yaml").write_text(_SETTINGS + "web: {language: fr}\n")
    with pytest.raises(ConfigError) as raised:
        load_all(Path("netmon.yaml"))
    assert {finding.file for finding in raised.value.findings} == {"agencies.yaml", "netmon.yaml"}


def test_a_missing_secret_is_a_warning_of_check_and_stops_nothing(directory: Path) -> None:
    (directory / "agencies.yaml").write_text(_BASE)
    (directory / "netmon.yaml").write_text(_SETTINGS)
    loaded = load_all(Path("netmon.yaml"))
    assert loaded.warnings == ()
    (finding,) = check([Path("netmon.yaml")])
    assert finding.severity is Severity.WARNING
    assert "NETMON_TEST_UNSET is" not in finding.message
    assert finding.message.startswith("env:NETMON_TEST_UNSET: the environment variable is not set")


def test_settings_load_alone_even_where_the_inventory_is_bad(directory: Path) -> None:
    (directory / "netmon.yaml").write_text(_SETTINGS)
    assert load_settings(Path("netmon.yaml")).settings.inventory == Path("agencies.yaml")
