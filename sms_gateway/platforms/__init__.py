"""Edges to other hotlines' platforms: a matter is handed over, their word about it comes back, both signed."""
