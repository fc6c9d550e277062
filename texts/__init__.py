"""What everyone knows about a text: normalising it and turning it into a vector.

Python 3.10 syntax, imports nothing of ours: both environments use it.
"""
