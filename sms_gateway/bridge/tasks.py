"""Jobs of the bridge: send a request to its desk, see whether it was accepted."""
