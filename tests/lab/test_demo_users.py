"""The demo runs for an ordinary user, for root, and where namespaces are forbidden."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab import Lab, Plan
from lab.capabilities import LAB, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab

HERE = Path(__file__).parent
_LIBRARIES = os.pathsep.join((str(HERE.parents[1]), sysconfig.get_path("purelib")))
_ENVIRONMENT = ("env", f"PYTHONPATH={_LIBRARIES}", "PYTHONDONTWRITEBYTECODE=1")
_AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_FORBIDDEN = (str(HERE / "forbid_namespaces.py"),)


@pytest.fixture(scope="module")
def empty_lab() -> Iterator[Lab]:
    """A namespace whose ping_group_range is ours to set: the machine's own stays as it is."""
    if lack := missing(*LAB):
        pytest.skip(lack)
    with Lab(Plan(departments=1, districts=0, backups=0), with_agents=False) as lab:
        lab.run("sysctl", "-qw", "net.ipv4.ping_group_range=1 0")
        yield lab


@pytest.fixture(scope="module")
def python_for_all(empty_lab: Lab) -> str:
    """A Python that any user can start: root's own may lie in a closed directory."""
    major_minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(major_minor, path="/usr/local/bin:/usr/bin")):
        command = [str(candidate), "-c", "import netmon.demo.world"]
        if candidate and empty_lab.run(*_AS_NOBODY, *_ENVIRONMENT, *command).returncode == 0:
            return candidate
    pytest.skip("no Python that other users can run")


def _see(lab: Lab, *command: str) -> dict[str, Any]:
    """Open, cut and heal a toy province; return what was seen."""
    done = lab.run(*command, str(HERE / "demo_once.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_root_sees_a_cut_and_its_end_in_a_namespace(empty_lab: Lab) -> None:
    seen = _see(empty_lab, *_ENVIRONMENT, sys.executable)
    assert seen["mode"] == "namespace"
    assert seen["seen"] == [True, False, True]


def test_an_ordinary_user_sees_a_cut_and_its_end_in_a_namespace(
    empty_lab: Lab, python_for_all: str
) -> None:
    seen = _see(empty_lab, *_AS_NOBODY, *_ENVIRONMENT, python_for_all)
    assert seen["mode"] == "namespace"
    assert seen["seen"] == [True, False, True]


def test_where_namespaces_are_forbidden_root_sees_the_same_on_the_loopback_network(
    empty_lab: Lab,
) -> None:
    seen = _see(empty_lab, *_ENVIRONMENT, sys.executable, *_FORBIDDEN, sys.executable)
    assert seen["mode"] == "loopback"
    assert "unshare: Operation not permitted" in seen["notice"]
    assert seen["seen"] == [True, False, True]


def test_where_namespaces_are_forbidden_a_user_with_echo_sockets_sees_the_same(
    empty_lab: Lab, python_for_all: str
) -> None:
    empty_lab.run("sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")
    command = (*_AS_NOBODY, *_ENVIRONMENT, python_for_all, *_FORBIDDEN, python_for_all)
    seen = _see(empty_lab, *command)
    assert seen["mode"] == "loopback"
    assert seen["seen"] == [True, False, True]


def test_a_user_without_either_is_told_in_one_sentence_what_is_missing(
    empty_lab: Lab, python_for_all: str
) -> None:
    empty_lab.run("sysctl", "-qw", "net.ipv4.ping_group_range=1 0")
    command = (*_AS_NOBODY, *_ENVIRONMENT, python_for_all, *_FORBIDDEN, python_for_all)
    done = empty_lab.run(*command, str(HERE / "demo_once.py"))
    assert done.returncode == 2
    assert not done.stderr
    assert "unshare: Operation not permitted" in done.stdout
    assert "net.ipv4.ping_group_range='0 2147483647'" in done.stdout
    assert done.stdout.count("\n") == 1
