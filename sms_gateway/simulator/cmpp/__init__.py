"""A make-believe CMPP gateway: the carrier's side of the wire, with faults on wish and a memory of what really happened."""
