"""LoRA files of every author, read to one layout."""
