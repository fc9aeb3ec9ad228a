"""Runs a program until this process's standard input is closed, and cleans up after it.

    python keeper.py PROGRAM [ARGUMENT ...]

A killed test cannot stop the programs that it started, but the system closes its pipes. So when standard input
ends, or this process gets SIGTERM or SIGINT, it asks the program to stop, kills what is left of it and of its
child processes, and removes their temporary folder (TMPDIR).
Exits with the program's exit status, if the program ends by itself.
"""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

GRACE_SECONDS = 5
LIST_SECONDS_MAX = 60
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """On Linux, adopts processes whose parent has ended, so that descendants() finds them."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> list[int]:
    """Every running process below this one."""
    # Works with BSD's and Linux's ps; a zombie has ended and only waits for its parent.
    listing = subprocess.Popen(["ps", "-A", "-o", "pid=,ppid=,stat="], stdout=subprocess.PIPE, text=True)
    out = listing.communicate(timeout=LIST_SECONDS_MAX)[0]
    children: dict[int, list[int]] = {}
    for line in out.splitlines():
        pid, parent, state = line.split()[:3]
        if not state.startswith("Z") and int(pid) != listing.pid:
            children.setdefault(int(parent), []).append(int(pid))
    found, open_ = [], [os.getpid()]
    while open_:
        below = children.get(open_.pop(), [])
        found += below
        open_ += below
    return found


def stop(program: subprocess.Popen) -> None:
    if program.poll() is None:
        program.terminate()
        try:
            program.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := descendants()) and time.monotonic() < deadline:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        program.poll()
        time.sleep(0.05)


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    adopt_orphans()
    over = threading.Event()

    def until_stdin_ends():
        while os.read(0, 4096):
            pass
        over.set()

    # A killed process cannot remove its files. Errors are ignored: a dying process may still write one.
    folder = tempfile.TemporaryDirectory(prefix="stoop-local-", ignore_cleanup_errors=True)
    environment = {**os.environ, "TMPDIR": folder.name}
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    threading.Thread(target=until_stdin_ends, daemon=True).start()
    threading.Thread(target=lambda: (program.wait(), over.set()), daemon=True).start()
    # With a timeout, because a bare wait() would delay the signal until it returns.
    while not over.wait(0.5):
        pass
    ended = program.poll()
    stop(program)
    folder.cleanup()
    return 0 if ended is None else ended if ended >= 0 else 128 - ended


if __name__ == "__main__":
    sys.exit(main())
