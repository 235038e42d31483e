"""The console's screens, one module each: its views, its actions."""
