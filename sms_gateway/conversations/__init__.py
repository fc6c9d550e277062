"""One person on one channel: who owns the talk, the turn, the takeover."""
