"""Seeing: how the hotline does, read from its own rows, for machines (`/metrics`) and for people (the page 运行)."""
