"""Who is connected to this process, and how news reaches them."""
