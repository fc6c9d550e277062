"""The operators' pages: sign-in, queue, talk, tickets. Every act is a route with a role; nothing here decides what a room decides."""
