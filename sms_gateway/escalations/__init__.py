"""A call for a human, its clock and its ladder."""
