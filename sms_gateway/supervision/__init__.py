"""What keeps the hotline's processes up on one machine: supervisor, embedded PostgreSQL, start, stop, doctor."""
