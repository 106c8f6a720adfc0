"""Campaigns of faults: many seeded cases, of which CI runs a part."""
