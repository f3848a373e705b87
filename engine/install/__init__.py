"""Models and LoRAs arrive on this computer and leave it."""
