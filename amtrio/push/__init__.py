"""Waking devices that are not looking."""
