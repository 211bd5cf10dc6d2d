"""A day of 200 acts in the real shell, every way to tamper with its log, and what the verifier says of each."""
