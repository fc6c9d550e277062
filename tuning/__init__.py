"""Tuning the encoder on the texts of this repository: run by `make train` in an environment of its own (PyTorch)."""
