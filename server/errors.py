"""Every error that TADBot raises on purpose; it does not know where they are shown."""


class TadbotError(Exception):
    """Something went wrong; see the server's log."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class ConfigError(TadbotError):
    """The settings are wrong; correct the file that the message names."""


class EngineError(TadbotError):
    """A model failed on this input; the next one may work."""


class VoiceUnknownError(EngineError):
    """The voice is unknown to the engine."""


class PictureError(TadbotError):
    """The picture cannot be read; send a JPEG of at most 256 KiB."""


class ModelMissingError(TadbotError):
    """A model is not on the disk; run `tadbot-server models pull`."""


class StoreError(TadbotError):
    """The database failed; check that it runs and that its disk is not full."""


class SessionUnknownError(TadbotError):
    """The session is unknown; open a new one."""


class ClientGoneError(TadbotError):
    """The client is gone, or reads nothing of what is sent."""


class RequestError(TadbotError):
    """The client broke the contract; see the comments in the .proto files.

    reason: stable upper-case name for `ErrorInfo`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
