"""What ends the client with a sentence; it does not know who shows it."""


class ClientError(Exception):
    """Says in one sentence what happened and what the person can do about it."""
