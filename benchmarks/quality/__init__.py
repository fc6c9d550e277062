"""`make eval`: how well texts are understood, on the development sets of this repository (issue 3)."""
