"""What departments get in real time: an outbox of events, signed pushes in order, replay, and a list to pull from."""
