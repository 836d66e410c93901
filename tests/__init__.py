"""What shows that the hub does what it says: docs/testing.md tells which folder holds what."""
