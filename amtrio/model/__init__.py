"""What features share: the shapes of things, their rules and their SQL."""
