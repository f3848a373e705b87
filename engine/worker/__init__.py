"""The only room that imports torch and diffusers. Nothing imports it: it is started as `python -m engine.worker`."""
