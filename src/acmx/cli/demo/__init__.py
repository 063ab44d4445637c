"""`acmx demo`: two MC systems on this machine, a metropolitan police and a neighbouring fire service.

Both servers really run, in processes of their own; the 18 steps are read from what they recorded.
"""

import shutil
import signal
import tempfile
import threading
from pathlib import Path

from acmx.cli.demo.systems import Neighbours, neighbours
from acmx.cli.demo.walk import ask_automatically, ask_for_a_stranger, ask_manually
from acmx.cli.terminal import out
from acmx.domain.errors import AcmxError

FAILED = 1


def demo(once: bool) -> int:
    """Walk; with `once` end then, else stay up until interrupted. The exit status."""
    folder = Path(tempfile.mkdtemp(prefix="acmx-demo-"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with neighbours(folder) as both:
            complete = _walk(both)
            if complete and not once:
                _stay(both)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if complete else FAILED


def _walk(both: Neighbours) -> bool:
    walks = (ask_manually, ask_automatically, ask_for_a_stranger)
    try:
        complete = [walk(both) for walk in walks]
    except AcmxError as error:
        out().print(f"The demo stopped: {error}")
        return False
    done = all(complete)
    out().print("\nAll steps are done." if done else "\nNot every step was done.")
    return done


def _stay(both: Neighbours) -> None:
    out().print(both.what_to_try())
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out().print("Stopping both servers.")
