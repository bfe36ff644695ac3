"""The machine: source to machine code, kept on disk, and what all compiled code shares."""
