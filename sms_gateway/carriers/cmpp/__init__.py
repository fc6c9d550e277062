"""CMPP, what domestic carriers' SMS gateways speak: the wire, the session, and the carrier on top of them."""
