"""What ICMP errors and failed sends are called."""

from __future__ import annotations

import errno
from ipaddress import ip_address

import pytest

from netmon.model import ECHO_ERRORS, EchoError
from netmon.probes.icmp.reasons import ErrorReport, fault_code, icmp_error_codes, words

E = EchoError


@pytest.mark.parametrize(
    ("family", "kind", "code", "error"),
    [
        (4, 3, 0, E.NET_UNREACHABLE),
        (4, 3, 1, E.HOST_UNREACHABLE),
        (4, 3, 2, E.OTHER_UNREACHABLE),
        (4, 3, 3, E.OTHER_UNREACHABLE),
        (4, 3, 4, E.PACKET_TOO_BIG),
        (4, 3, 9, E.PROHIBITED),
        (4, 3, 10, E.PROHIBITED),
        (4, 3, 13, E.PROHIBITED),
        (4, 3, 200, E.OTHER_UNREACHABLE),
        (4, 11, 0, E.TTL_EXCEEDED),
        (4, 11, 1, E.OTHER_UNREACHABLE),
        (4, 12, 0, E.OTHER_UNREACHABLE),
        (6, 1, 0, E.NET_UNREACHABLE),
        (6, 1, 1, E.PROHIBITED),
        (6, 1, 2, E.OTHER_UNREACHABLE),
        (6, 1, 3, E.HOST_UNREACHABLE),
        (6, 1, 4, E.OTHER_UNREACHABLE),
        (6, 1, 5, E.PROHIBITED),
        (6, 1, 6, E.NET_UNREACHABLE),
        (6, 2, 0, E.PACKET_TOO_BIG),
        (6, 3, 0, E.TTL_EXCEEDED),
        (6, 4, 1, E.OTHER_UNREACHABLE),
    ],
)
def test_every_icmp_error_has_a_bounded_name(
    family: int, kind: int, code: int, error: EchoError
) -> None:
    assert ECHO_ERRORS[icmp_error_codes(family)[kind, code]] is error


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.EPERM, E.NO_PERMISSION),
        (errno.EACCES, E.NO_PERMISSION),
        (errno.ENETUNREACH, E.NO_ROUTE),
        (errno.EHOSTUNREACH, E.NO_ROUTE),
        (errno.EINVAL, E.NO_ROUTE),
        (errno.ENOBUFS, E.NO_BUFFER),
        (errno.ENOMEM, E.NO_BUFFER),
        (errno.EAGAIN, E.NO_BUFFER),
        (errno.EMSGSIZE, E.OTHER_FAULT),
        (errno.ENODEV, E.OTHER_FAULT),
    ],
)
def test_every_failed_send_has_a_bounded_name(number: int, error: EchoError) -> None:
    assert ECHO_ERRORS[fault_code(number)] is error


def test_a_report_says_who_said_what() -> None:
    target = ip_address("192.0.2.9")
    report = ErrorReport(target, E.HOST_UNREACHABLE, ip_address("10.0.3.1"), 0)
    assert report.text == "10.0.3.1 reports host unreachable"
    assert ErrorReport(target, E.NO_ROUTE, None, 0).text == "this machine has no route"


@pytest.mark.parametrize("error", ECHO_ERRORS)
def test_every_error_has_words(error: EchoError) -> None:
    assert words(error)
