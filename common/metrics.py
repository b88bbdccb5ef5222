"""Counters that two rooms of the house share."""

from prometheus_client import Counter

refusals = Counter("quorum_refusals", "Refusals by code and by the door where they were given", ["code", "door"])
