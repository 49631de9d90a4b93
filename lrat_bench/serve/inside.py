"""Runs inside a confinement, before and beside the agent: a program of its own, of the standard library alone.

    python -I -S inside.py PLAN COMMAND…

PLAN is JSON. `socket`, `port`: what comes to 127.0.0.1:port goes to this UNIX socket, which leads to the server.
`root`, where the caller has put us into new namespaces (user, mount, network, process, IPC): an empty folder that
becomes the root of the file system, with nothing in it but `system` (folders and files shown as they are, read-only),
`own` (the agent's folder) and a bare /dev, /proc and /tmp; `links` are links to be made as they are outside, `hide` are
folders and files in these that are shown empty. The agent keeps no privilege with which it could undo that. Where this
cannot be done, exit code 126 and one line. Before the agent starts, the line `said` goes to stderr: without it, nothing
that is said there was said by an agent, and with it, all that follows.
"""

# It starts before every question, and pathlib takes longer to import than all the rest.
# ruff: noqa: PTH101, PTH103, PTH106, PTH110, PTH112, PTH113, PTH114, PTH115, PTH120, PTH211

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import threading

_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_SETATTR = 442  # the same number on every architecture
_ATTR_RDONLY, _ATTR_NOSUID = 1, 2
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 24, 38, 47
_CAPABILITY_VERSION = 0x20080522
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """Prepare, start the command, carry its requests to the server, and end as it ends."""
    plan, command = json.loads(sys.argv[1]), sys.argv[2:]
    try:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if plan.get("root"):
            _loopback_up()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", plan["port"]))
        listener.listen(128)
        if plan.get("root"):
            _new_root(plan)
        _drop_privileges()
        os.write(2, os.fsencode(plan["said"]))
    except OSError as error:
        sys.stderr.write(f"cannot confine: {error.strerror or error} ({error.filename or 'network'})\n")
        return 126
    # Forked before there is a second thread.
    child = os.fork()
    if child == 0:
        listener.close()
        try:
            os.chdir(plan["own"])
            os.execvp(command[0], command)  # noqa: S606 -- what the user asked for
        except OSError as error:
            sys.stderr.write(f"cannot start {command[0]}: {error.strerror}\n")
            os._exit(127)
    threading.Thread(target=_forward, args=(listener, plan["socket"]), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: os.kill(child, received))
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    given = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    _check(_libc.mount(given[0], given[1], given[2], ctypes.c_ulong(flags), given[3]), target)


def _read_only(path: str) -> None:
    attributes = struct.pack("=QQQQ", _ATTR_RDONLY | _ATTR_NOSUID, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR), ctypes.c_int(_AT_FDCWD), os.fsencode(path), ctypes.c_uint(_AT_RECURSIVE),
        attributes, ctypes.c_size_t(len(attributes)),
    )  # fmt: skip
    _check(result, path)


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(control, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def _new_root(plan: dict) -> None:  # type: ignore[type-arg]
    root = plan["root"]
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755")
    for path in plan["system"]:
        _show(path, root)
    for path in plan["links"]:
        if not os.path.lexists(root + path):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            os.symlink(os.readlink(path), root + path)
    for path in plan["hide"]:
        if os.path.isfile(root + path):
            _bind("/dev/null", root + path, directory=False)
        elif os.path.isdir(root + path):
            _mount("tmpfs", root + path, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755")
            _read_only(root + path)
    for name in ("tmp", "dev/shm"):
        if not os.path.ismount(f"{root}/{name}"):
            os.makedirs(f"{root}/{name}", exist_ok=True)
            os.chmod(f"{root}/{name}", 0o1777)  # noqa: S103 -- as /tmp is, in a root of its own
    for name in ("proc", ".old"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"{root}/dev/{name}", directory=False)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
                         ("stderr", "/proc/self/fd/2")):  # fmt: skip
        os.symlink(target, f"{root}/dev/{name}")
    _mount("proc", f"{root}/proc", "proc", _MS_NOSUID | _MS_NODEV)
    for path in (plan["own"], plan["socket"]):
        _bind(path, root + path, directory=os.path.isdir(path))
    _check(_libc.pivot_root(os.fsencode(root), os.fsencode(f"{root}/.old")), root)
    os.chdir("/")
    _check(_libc.umount2(b"/.old", _MNT_DETACH), "/.old")
    os.rmdir("/.old")


def _show(path: str, root: str) -> None:
    """Show a folder or file of the system where it was; a link stays one."""
    place = root + path
    if os.path.lexists(place) or not os.path.exists(path):
        return
    if os.path.islink(path) and os.path.dirname(path) == "/":
        os.symlink(os.readlink(path), place)
        return
    _bind(path, place, directory=os.path.isdir(path))
    _read_only(place)


def _bind(source: str, place: str, *, directory: bool) -> None:
    os.makedirs(place if directory else os.path.dirname(place), exist_ok=True)
    if not directory and not os.path.lexists(place):
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600))
    _mount(source, place, None, _MS_BIND | _MS_REC)


def _drop_privileges() -> None:
    """No capability is left, and none can be gained by starting a program."""
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)
    for number in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    _check(_libc.capset(header, struct.pack("=6I", *[0] * 6)), "privileges")
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _forward(listener: socket.socket, path: str) -> None:
    while True:
        try:
            incoming, _ = listener.accept()
        except OSError:
            return
        outgoing = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            outgoing.connect(path)
        except OSError:
            incoming.close()
            outgoing.close()
            continue
        for one, other in ((incoming, outgoing), (outgoing, incoming)):
            threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    try:
        other.shutdown(socket.SHUT_WR)
    except OSError:
        one.close()


if __name__ == "__main__":
    # What has ended in this thread ends the forwarding, too.
    os._exit(main())
