"""The hand-over to 110, 119, 120 and 122: which desk, what it is told, what came back, and who is on duty in a county."""
