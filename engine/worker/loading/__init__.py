"""Weights from the disk to the device."""
