"""Proofs that two formulas are the same function: a normal form over labels, sums, exponentials and conditions."""
