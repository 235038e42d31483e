"""The console: what staff see and do in a browser, and the same for a practice's other programs under /api/v1."""
