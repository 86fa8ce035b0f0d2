"""Run a command for which unshare(2) fails with EPERM, as in a container (seccomp(2)).

usage: python forbid_namespaces.py COMMAND [ARGUMENT …]
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_UNSHARE = {"x86_64": 272, "aarch64": 97}
_ALLOW, _REFUSE_WITH_EPERM = 0x7FFF0000, 0x00050001


def main() -> None:
    """Forbid unshare for this process and all its children; then become the command."""
    instructions = (
        (0x20, 0, 0, 0),  # load the system call's number
        (0x15, 0, 1, _UNSHARE[platform.machine()]),
        (0x06, 0, 0, _REFUSE_WITH_EPERM),
        (0x06, 0, 0, _ALLOW),
    )
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(instructions), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0
    ):
        raise OSError(ctypes.get_errno(), "prctl refuses the filter")
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  # the command is the test's own


if __name__ == "__main__":
    main()
