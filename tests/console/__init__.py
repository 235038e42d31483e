"""The console as staff use it, over HTTP, on real stores."""
