"""What `hotline …` does beside running the processes: accounts, predictions, replays, backups, the handbook."""
