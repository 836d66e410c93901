"""Long runs of the laws of the unit tests: seeded, for CI and for the day a rule changes."""
