"""The 12345 loop: what was asked, by when, where it stands."""
