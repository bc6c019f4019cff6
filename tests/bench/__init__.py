"""Measures a server of this tree on this machine: `python -m tests.bench`. See docs/discussion/performance.md."""
