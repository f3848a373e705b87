"""From noise, or from a take, to latents."""
