"""Edges: how a text leaves us and how a carrier's words become ours."""
