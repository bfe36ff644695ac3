"""What an optimizer is, and what is wrong with it: found by where it goes, among published rules and neighbours."""
