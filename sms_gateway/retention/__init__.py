"""How long what is kept: periods by kind with their source, evidence holds, the daily purge, people's requests about their data."""
