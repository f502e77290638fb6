"""One cached resolver for a process, and a fake zone for tests."""
