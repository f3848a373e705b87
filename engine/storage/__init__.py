"""What is kept in the data folder: jobs in SQLite, takes and clips, LoRAs, cards and presets."""
