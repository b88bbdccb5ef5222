"""The forwarding decisions, sans-IO. router is the only door."""
