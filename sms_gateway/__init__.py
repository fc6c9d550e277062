"""The front door: a text comes in, is judged, answered, ticketed or handed to a person."""
