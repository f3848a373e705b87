"""The process that downloads: `python -m engine.install.downloader`. The only room that talks to a hub.

It is a process of its own so that pausing is ending it and resuming is starting it again, so that a hub that hangs
hangs nobody else, and so that a mirror (HF_ENDPOINT), which huggingface_hub reads once, can change without a restart.
"""
