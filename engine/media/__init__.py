"""Pictures, videos and sound that a person brings or a clip is made of; no torch."""
