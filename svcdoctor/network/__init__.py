"""How a packet moves: pure functions from what was read to what happens to it."""
