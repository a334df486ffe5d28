"""The API server: what is asked for over HTTP, and what a real one would answer."""
