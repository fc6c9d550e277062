"""Accounts, roles, sessions, presence, audit."""
