"""What is to be known of a generated loop from outside."""

# What the loop came back for.
RUNNING, NOT_FINITE, GRADIENT, VALUE, STEP, STALLED = range(6)
HUGE = 1e290  # a value, or a squared gradient, that is as good as infinite
MOST = 4096  # parameters whose values are recorded along the way
STAGE = "stage"  # the function that copies the rows of a batch


def kept(n: int) -> int:
    """Give the number of parameters that a record holds: all of them, or none where they are very many."""
    return n if n <= MOST else 0
