"""The door to mainland carriers: one process a line, which holds the connections to the gateway and takes texts from the others."""
