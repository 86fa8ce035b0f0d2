"""Open a toy province as whoever runs this, cut a router, heal it, and print what was seen."""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from ipaddress import ip_address

from netmon.demo.province import open_province
from netmon.errors import CapabilityError
from netmon.model import Agency, Inventory, IPAddress, Link, LinkKey, Province, Role, Router

ADDRESS = ip_address("10.20.0.1")
KEY = LinkKey("xa", "primary")


def main() -> int:
    """Print mode, notice and three answers: before, during and after the cut."""
    link = Link(KEY, Role.PRIMARY, (ADDRESS,), "default")
    agency = Agency("xa", "UBND xã", "commune", router=Router(ADDRESS), links=(link,))
    province = Province("tg", "Tiền Giang", "Tien Giang", "Asia/Ho_Chi_Minh", "TTTHDL")
    try:
        toy = open_province()
    except CapabilityError as error:
        print(error)  # noqa: T201  # the test reads it
        return 2
    with toy:
        inventory = toy.set_inventory(Inventory(province, {}, {}, {"xa": agency}))
        (address,) = inventory.links[KEY].addresses
        sock, _ = toy.open_echo_socket(4)
        seen = [answers(sock, address)]
        toy.silence("a storm", [address])
        seen.append(answers(sock, address))
        toy.restore("a storm")
        seen.append(answers(sock, address))
        sock.close()
        report = {"mode": toy.mode, "notice": toy.notice("en"), "seen": seen}
        print(json.dumps(report))  # noqa: T201  # the test reads it
    return 0


def answers(sock: socket.socket, address: IPAddress) -> bool:
    """Send one real echo request; tell whether its reply comes."""
    sock.sendto(struct.pack("!4H", 0x0800, 0xF7FE, 0, 1), (str(address), 0))
    deadline = time.monotonic() + 0.3
    while (rest := deadline - time.monotonic()) > 0:
        sock.settimeout(rest)
        try:
            packet, sender = sock.recvfrom(2048)
        except TimeoutError:
            return False
        icmp = packet[20:] if sock.type == socket.SOCK_RAW else packet
        if icmp[0] == 0 and sender[0] == str(address):
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
