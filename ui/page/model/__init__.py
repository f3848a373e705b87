"""What the page shows, read from the engine."""
