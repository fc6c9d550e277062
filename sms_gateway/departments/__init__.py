"""Units, duties, conflict rules: who handles what where, and who may see it. Pure: no tables."""
