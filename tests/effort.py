"""How much work a call is: a measure that no other process on the machine changes."""

import sys


def calls(work):
    """Count the functions that a call of ``work`` enters."""
    count = 0

    def enter(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(enter)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
