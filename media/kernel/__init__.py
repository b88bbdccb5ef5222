"""The hot loop: a table of streams, and what executes it per packet."""
