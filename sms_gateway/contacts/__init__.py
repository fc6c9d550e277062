"""A person: number, consent per purpose, safe-contact wishes."""
