"""What every implementation has to agree on, as data that tests of several languages read."""
