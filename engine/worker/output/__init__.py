"""From latents to the MP4."""
