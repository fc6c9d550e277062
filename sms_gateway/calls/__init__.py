"""Telephone calls we place: to whom and why, what is said when it is picked up, and what became of each."""
