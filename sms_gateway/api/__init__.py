"""REST for machines: health now; tickets and events for departments later."""
