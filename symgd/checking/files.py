"""Files of derivatives."""


def check_file() -> None:
    """Check a file."""
