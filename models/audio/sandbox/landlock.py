"""Landlock, Linux's access control: no file reached by its name, no TCP port by its number."""

from __future__ import annotations

import ctypes
import os
import struct

# The same on every architecture.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_WHICH_VERSION = 1
# Of each version of Landlock: how many rights over files there are, over the network, and what can
# be confined to processes that are restricted as well.
_RIGHTS = {1: (13, 0, 0), 2: (14, 0, 0), 3: (15, 0, 0), 4: (15, 2, 0), 5: (16, 2, 0), 6: (16, 2, 2)}


def landlock_version(libc: ctypes.CDLL) -> int:
    """The kernel's version of it; 0: it has none, or it is switched off."""
    return max(0, int(libc.syscall(_CREATE_RULESET, None, 0, _WHICH_VERSION)))


def deny_all(libc: ctypes.CDLL) -> None:
    """Take every right from this process that the kernel's Landlock knows; none, if it has none.

    The process must not be able to gain privileges any more.
    """
    if not (version := landlock_version(libc)):
        return
    rights = _RIGHTS[min(version, max(_RIGHTS))]
    # Older kernels take a longer struct if what they do not know is zero.
    attributes = struct.pack("=3Q", *((1 << count) - 1 for count in rights))
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset >= 0:
        libc.syscall(_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)
