"""The gateway's state: the only place that speaks SQL, on SQLite or PostgreSQL alike."""
