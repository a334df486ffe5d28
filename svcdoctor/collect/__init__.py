"""The senses: reading a live cluster."""
