"""Outreach: one message to a county or to the whole province, released by two people, counted to the last number."""
