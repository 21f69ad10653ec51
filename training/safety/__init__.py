"""The small classifier of danger: its corpus, its making, and its trial."""
