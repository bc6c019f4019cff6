"""Files: how they come in, what is in them, where they lie, how they go out."""
