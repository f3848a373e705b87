"""Jobs run: which one is next, on which device, in which process."""
