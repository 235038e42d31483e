"""One program as several processes: bells between them, roles, metrics."""
