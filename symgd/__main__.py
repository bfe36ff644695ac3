"""``python -m symgd``: the command line."""

from symgd.cli import main

if __name__ == "__main__":
    main(prog_name="symgd")
