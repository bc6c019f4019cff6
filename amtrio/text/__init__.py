"""What people write, taken apart: words to search for, emoji to react with."""
