"""The disk made slower: `slow_fsync.c`, compiled and put before the C library of a process."""

import ctypes
import os
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("slow_fsync.c")
_NAME = "slow_fsync.so"


def environment(folder: Path) -> dict[str, str]:
    """Compile the shim in `folder`; the environment in which a process runs with it."""
    library = folder / _NAME
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, _SOURCE, "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(library)}


def loaded() -> bool:
    """Whether this process runs with the shim."""
    return _NAME in os.environ.get("LD_PRELOAD", "")


def extra_us() -> ctypes.c_long:
    """By how many microseconds each fsync of this process is made longer; 0 until it is set."""
    return ctypes.c_long.in_dll(ctypes.CDLL(None), "slow_fsync_us")


def fsyncs() -> ctypes.c_long:
    """How many fsyncs this process has made."""
    return ctypes.c_long.in_dll(ctypes.CDLL(None), "slow_fsync_calls")
