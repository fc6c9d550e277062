"""Every text in and out: inbox, outbox, delivery states, segments."""
