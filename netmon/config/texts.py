"""Forms of text: names, ids, addresses, switches, choices."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import TYPE_CHECKING

from netmon.config.forms import Refusal, Scalar
from netmon.config.words import Guesser, quoted, slug

if TYPE_CHECKING:
    from netmon.model import IPAddress

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MAX_ID = 63
_MAX_TEXT = 200
_IPV4_LIKE = re.compile(r"\d+(?:\.\d+){3}")
_CIDR = re.compile(r"(.+)/\d+")


def text(accepts: str = "a text", most: int = _MAX_TEXT) -> Scalar[str]:
    """Return the form of text for people: NFC, one line, no invisible characters."""

    def convert(written: str) -> str:
        check_text(written, most)
        return written

    return Scalar(convert, accepts, {"type": "string", "minLength": 1, "maxLength": most})


def check_text(written: str, most: int) -> None:
    """Refuse a text that would not survive into a label, a page or a file unharmed."""
    if not written.strip():
        raise Refusal("an empty text: write one, or leave the key out")
    if len(written) > most:
        raise Refusal(f"{len(written)} letters: {most} are the most")
    if written != written.strip():
        raise Refusal(f"{quoted(written)} begins or ends with a blank: remove it")
    if not written.isprintable():
        at = next(i for i, letter in enumerate(written) if not letter.isprintable())
        code = f"U+{ord(written[at]):04X}"
        raise Refusal(f"letter {at + 1} of {quoted(written)} does not print ({code}): remove it")
    if not unicodedata.is_normalized("NFC", written):
        raise Refusal(_not_nfc(written))


def _not_nfc(written: str) -> str:
    composed = unicodedata.normalize("NFC", written)
    at = next(i for i, (a, b) in enumerate(zip(written, composed, strict=False)) if a != b)
    pair = " ".join(f"U+{ord(letter):04X}" for letter in written[at : at + 2])
    return (
        f"{quoted(composed)} is not in Unicode form NFC: letter {at + 1}, {composed[at]!r}, "
        f"is written as {pair}; type it again or convert the file to NFC"
    )


def _convert_id(written: str) -> str:
    if len(written) <= _MAX_ID and _ID.fullmatch(written):
        return written
    example = slug(written) or "xa-tan-hoi-dong"
    raise Refusal(
        f"{quoted(written)} is not an id: write small letters a-z, digits and single '-', "
        f"at most {_MAX_ID}, for example {example!r}"
    )


identifier = Scalar(
    _convert_id,
    "an id such as ubnd-chau-thanh",
    {"type": "string", "pattern": f"^{_ID.pattern}$", "maxLength": _MAX_ID},
)


def _convert_name(written: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}", written):
        return written
    raise Refusal(f"{quoted(written)} is not a name: write letters a-z, digits, '_' and '-'")


config_name = Scalar(
    _convert_name,
    "a name such as default",
    {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$"},
)
"""Names of modules, credentials and the like: they become labels and keys."""


def _convert_switch(written: str) -> bool:
    if written in {"true", "false"}:
        return written == "true"
    raise Refusal(f"{quoted(written)} is not a switch netmon reads: write true or false")


switch = Scalar(_convert_switch, "true or false", {"type": "boolean"})


def choice(*words: str) -> Scalar[str]:
    """Return the form of one word of a closed set."""
    accepts = ", ".join(words[:-1]) + f" or {words[-1]}"

    def convert(written: str) -> str:
        if written in words:
            return written
        hint = Guesser().hint(written, words) or f": write {accepts}"
        raise Refusal(f"{quoted(written)} is not known here{hint}")

    # A YAML editor reads a plain 3 or 1 as a number: both spellings are offered.
    numbers = [int(word) for word in words if word.isdigit()]
    return Scalar(convert, accepts, {"enum": [*words, *numbers]})


def _convert_address(written: str) -> IPAddress:
    if cidr := _CIDR.fullmatch(written):
        raise Refusal(
            f"{quoted(written)} is an address with a prefix: write the router's address alone, "
            f"{quoted(cidr[1])}"
        )
    if _IPV4_LIKE.fullmatch(written):
        _check_ipv4_parts(written)
    elif "%" in written:
        raise Refusal(f"{quoted(written)} names an interface: write a global or private address")
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        raise Refusal(
            f"{quoted(written)} is not an IP address: write one such as 10.86.20.5; "
            "host names are not looked up"
        ) from None
    _check_usable(address, written)
    return address


def _check_ipv4_parts(written: str) -> None:
    parts = written.split(".")
    if any(len(part) > 1 and part[0] == "0" for part in parts):
        plain = ".".join(part.lstrip("0") or "0" for part in parts)
        raise Refusal(
            f"{quoted(written)} has leading zeros, which some programs read as octal: write {plain}"
        )
    if any(len(part) > 3 or int(part) > 255 for part in parts):  # noqa: PLR2004  # octets
        raise Refusal(f"{quoted(written)} is not an IPv4 address: each part is 0 to 255")


def _check_usable(address: IPAddress, written: str) -> None:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None:
        raise Refusal(f"{quoted(written)} is an IPv4 address in IPv6 clothes: write {mapped}")
    for wrong, what in (
        (address.is_multicast, "a multicast address"),
        (address.is_unspecified, "the unspecified address"),
        (address.version == 6 and address.is_link_local, "a link-local address"),  # noqa: PLR2004  # IPv6
        (address.version == 4 and address.packed[0] == 0, "an address of this network"),  # noqa: PLR2004  # IPv4
        (address.version == 4 and address.packed[0] >= 240, "a reserved address"),  # noqa: PLR2004  # RFC 1112
    ):
        if wrong:
            raise Refusal(f"{quoted(written)} is {what}: no single router answers there")


_IPV4_PATTERN = r"^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$"
address: Scalar[IPAddress] = Scalar(
    _convert_address,
    "an IP address such as 10.86.20.5",
    {
        "type": "string",
        "anyOf": [{"pattern": _IPV4_PATTERN}, {"pattern": "^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$"}],
    },
)


def _convert_address6(written: str) -> ipaddress.IPv6Address:
    address = _convert_address(written)
    if isinstance(address, ipaddress.IPv6Address):
        return address
    raise Refusal(f"{quoted(written)} is an IPv4 address: write an IPv6 one here")


address6 = Scalar(
    _convert_address6,
    "an IPv6 address such as 2001:db8::5",
    {"type": "string", "pattern": "^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$"},
)


def _convert_address4(written: str) -> ipaddress.IPv4Address:
    address = _convert_address(written)
    if isinstance(address, ipaddress.IPv4Address):
        return address
    raise Refusal(f"{quoted(written)} is an IPv6 address: write an IPv4 one here")


address4 = Scalar(
    _convert_address4,
    "an IPv4 address such as 10.84.0.10",
    {"type": "string", "pattern": _IPV4_PATTERN},
)


def _convert_link_key(written: str) -> tuple[str, str]:
    agency, slash, link = written.partition("/")
    if slash and _ID.fullmatch(agency) and _ID.fullmatch(link):
        return agency, link
    raise Refusal(f"{quoted(written)} names no link: write AGENCY/LINK, such as so-y-te/primary")


link_key = Scalar(
    _convert_link_key,
    "a link such as so-y-te/primary",
    {"type": "string", "pattern": f"^{_ID.pattern}/{_ID.pattern}$"},
)


def _convert_listen(written: str) -> str:
    host, colon, port = written.rpartition(":")
    good_port = port.isascii() and port.isdigit() and int(port[:6]) <= 65535  # noqa: PLR2004  # ports
    try:
        ipaddress.ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        good_port = good_port and host in {"localhost", ""}
    if colon and good_port and (":" not in host or host.startswith("[")):
        return written
    raise Refusal(
        f"{quoted(written)} is no address to listen on: write ADDRESS:PORT, "
        "such as 127.0.0.1:9877 or [::]:9877"
    )


listen_address = Scalar(
    _convert_listen,
    "an address and port such as 127.0.0.1:9877",
    {"type": "string", "pattern": r"^.*:\d{1,5}$"},
)
