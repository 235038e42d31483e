"""Training of the model behind ``handlers.understanding``; nothing of it ships. ``python -m training`` does all."""
