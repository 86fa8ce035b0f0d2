"""Silence on the loopback network: packet filters on netmon's own ICMP sockets.

Every address of 127.0.0.0/8 answers. Where namespaces are forbidden, the replies of a silent toy
router are dropped before they reach netmon's socket, by a classic BPF program (socket(7),
SO_ATTACH_FILTER), which needs no privilege. The echo engine attaches a program of its own, which
would replace ours: `FilteredSocket` puts ours before it.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netmon.model import IPAddress

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_PROGRAM = struct.Struct("@HP")
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_WORD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x35, 0x06
_NETWORK_HEADER, _ANCILLARY_RANDOM = 0xFFF00000, 0xFFFFF000 + 56
_SOURCE_OFFSET = 12
_WHOLE_PACKET = 0x40000


class FilteredSocket(socket.socket):
    """An ICMP socket that does not hear silent addresses, whatever filter its user attaches."""

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._lost_shares: Mapping[IPAddress, float] = {}
        self._user_program = _instruction(_RETURN, _WHOLE_PACKET)

    def lose(self, shares: Mapping[IPAddress, float]) -> None:
        """Lose this share of what comes from each address; 1: all of it."""
        self._lost_shares = shares
        self._attach()

    # The signature is that of socket.socket, whose overloads a subclass cannot repeat briefly.
    def setsockopt(self, *arguments: Any) -> None:  # noqa: ANN401  # see above
        """Set an option; a filter is combined with ours instead of replacing it."""
        match arguments:
            case (socket.SOL_SOCKET, option, program) if option == _SO_ATTACH_FILTER:
                length, address = _PROGRAM.unpack(bytes(program))
                self._user_program = ctypes.string_at(address, length * _INSTRUCTION.size)
                self._attach()
            case _:
                super().setsockopt(*arguments)

    def _attach(self) -> None:
        if self.fileno() < 0:  # closed, and not yet forgotten by the province
            return
        code = compile_losses(self._lost_shares) + self._user_program
        buffer = ctypes.create_string_buffer(code, len(code))
        program = _PROGRAM.pack(len(code) // _INSTRUCTION.size, ctypes.addressof(buffer))
        super().setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def compile_losses(shares: Mapping[IPAddress, float]) -> bytes:
    """Return a program that drops as told and falls through to whatever follows it."""
    code = b""
    for address, share in shares.items():
        code += _instruction(_LOAD_WORD, _NETWORK_HEADER + _SOURCE_OFFSET)
        source = int.from_bytes(address.packed, "big")
        if share >= 1:
            code += _instruction(_JUMP_EQUAL, source, 0, 1)
        else:
            code += _instruction(_JUMP_EQUAL, source, 0, 3)
            code += _instruction(_LOAD_WORD, _ANCILLARY_RANDOM)
            code += _instruction(_JUMP_GREATER_EQUAL, int(share * 2**32), 1, 0)
        code += _instruction(_RETURN, 0)
    return code


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return _INSTRUCTION.pack(code, if_true, if_false, operand)
