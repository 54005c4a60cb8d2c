"""Linux namespaces, mounts and privileges for a process that is about to run a student's code. Used inside a sandbox.

The C library is called through ctypes: Python has `os.unshare` from 3.12 on only, and never `mount`.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_libc = ctypes.CDLL(None, use_errno=True)

_NEW_ALL = 0x00020000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000  # mount uts ipc user pid net
_MS_NOSUID, _MS_NODEV, _MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 1, 32, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_SUBREAPER, _PR_NO_NEW_PRIVS = 1, 4, 24, 36, 38
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63
_RESERVED = 1 << 30  # threads reserve address space for their stacks and heaps, and use little of it
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent goes."""
    _call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent has gone, so that none of them gets out of sight."""
    _call("prctl", _PR_SET_SUBREAPER, 1, 0, 0, 0)


def not_traceable() -> None:
    """Keep processes of the same user from reading or steering this one."""
    _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def traceable() -> None:
    """Be an ordinary process again, with a /proc of its own that it can read."""
    _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)


def unshare_everything() -> None:
    """Move into namespaces of its own: users, mounts, IPC, network, host name, and processes from the next child on.

    The user keeps its number. The loopback interface is up, and there is no other.

    Raises:
        OSError: The system refuses.
    """
    user, group = os.getuid(), os.getgid()
    _call("unshare", _NEW_ALL)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _loopback_up()


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(probe, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def mount_tmpfs(target: str, size: int, mode: str = "0700", keep: Iterable[str] = ()) -> None:
    """An empty private file system in memory at ``target``, of at most ``size`` bytes.

    Args:
        target: An existing folder.
        size: Bytes.
        mode: Its permissions.
        keep: Folders that stay in sight as they are, where they are below ``target``.
    """
    below = {place: os.open(place, os.O_PATH) for place in keep if Path(place).is_relative_to(target)}
    options = f"size={size},mode={mode},nr_inodes=100k".encode()
    _call("mount", b"tmpfs", target.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, options)
    for place, descriptor in below.items():
        Path(place).mkdir(parents=True)
        bind(f"/proc/self/fd/{descriptor}", place)
        os.close(descriptor)


def bind(source: str, target: str) -> None:
    """Show the folder ``source`` at ``target``, too."""
    _call("mount", source.encode(), target.encode(), None, _MS_BIND, None)


def mount_proc() -> None:
    """A view of the processes of this PID namespace alone. From process 1 of it."""
    _call("mount", b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV, None)


def keep_mounts_private() -> None:
    """Have no mount from here on show anywhere else."""
    _call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)


def forbid_namespaces() -> None:
    """Let nobody below make another user namespace, in which it would have privileges again."""
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def drop_privileges() -> None:
    """Give up every capability for good, also across an exec."""
    for number in range(_LAST_CAPABILITY + 1):
        _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)  # fails for numbers that this kernel does not know
    _call("prctl", _PR_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _call("capset", header, bytes(24))
    held = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff")]
    if held and int(held[0].split()[1], 16):
        raise PermissionError(f"privileges remain: {held[0]}")


def limit(memory: int | None, processes: int, file_size: int) -> None:
    """The operating system's own limits for this process and its children.

    Args:
        memory: Bytes that may be used on top of what is mapped already; None where a GPU driver maps terabytes.
        processes: Processes and threads of this user in this namespace.
        file_size: Bytes of the largest file.
    """
    if memory is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _lower(resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE") + memory + _RESERVED)
    _lower(resource.RLIMIT_NPROC, processes)
    _lower(resource.RLIMIT_FSIZE, file_size)
    _lower(resource.RLIMIT_NOFILE, 4096)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_MSGQUEUE, 0)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))
