"""A make-believe carrier with phones on a web page: development, demos, drills. Loopback only, absent in production."""
