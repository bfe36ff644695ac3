"""Update rules: formulas, the table of those that have names, and what is known of a rule before it runs."""

from symgd.rules.lowering import COMPONENTS, Lowered, lower, reads
from symgd.rules.rule import READ, Rule, find_rule
from symgd.rules.table import RULES, Row
from symgd.rules.values import check_schedule

__all__ = ["COMPONENTS", "READ", "RULES", "Lowered", "Row", "Rule", "check_schedule", "find_rule", "lower", "reads"]
