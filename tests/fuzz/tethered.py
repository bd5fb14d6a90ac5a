"""`tastemap` as a program that the system ends when the process that started it ends."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # of prctl(2)


def tether() -> None:
    """Have this process killed when the one that started it ends, however that does (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    tether()
    from tastemap.cli import main

    main()
