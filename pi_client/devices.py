"""The sound card through PortAudio; it does not know what is said."""

from typing import Any

from pi_client.errors import ClientError

_WORDS = {"input": "microphone", "output": "speaker"}


def sound_library() -> Any:
    """Returns `sounddevice`, loaded the first time a device is wanted.

    Raises ClientError if PortAudio is not installed.
    """
    try:
        import sounddevice
    except OSError as error:
        raise ClientError(
            "The sound library PortAudio is missing; install it with "
            "`sudo apt install libportaudio2`."
        ) from error
    return sounddevice


def open_stream(kind: str, name: str, options: dict[str, Any]) -> Any:
    """Opens the microphone (`kind` "input") or the speaker ("output") called `name`.

    options: what `RawInputStream` and `RawOutputStream` take, `samplerate` among it. Where
    the device does not offer that rate it is opened at its own; the stream's `samplerate`
    says which.
    Raises ClientError if it cannot be opened.
    """
    library = sound_library()
    device = None if name == "default" else _number_or_name(name)
    own_rate = _own_rate(kind, name)
    make = library.RawInputStream if kind == "input" else library.RawOutputStream
    place = {"device": device, "channels": 1, "dtype": "int16"}
    try:
        try:
            return make(**place, **options)
        except library.PortAudioError:
            return make(**place, **{**options, "samplerate": own_rate, "blocksize": 0})
    except library.PortAudioError as error:
        raise ClientError(
            f"The {_WORDS[kind]} '{name}' cannot be opened; another program may be using it."
        ) from error


def check_device(kind: str, name: str) -> None:
    """Raises ClientError if there is no such microphone or speaker."""
    _own_rate(kind, name)


def _own_rate(kind: str, name: str) -> int:
    library = sound_library()
    try:
        device = None if name == "default" else _number_or_name(name)
        return int(library.query_devices(device, kind)["default_samplerate"])
    except (library.PortAudioError, ValueError) as error:
        raise ClientError(
            f"There is no {_WORDS[kind]} '{name}'; `tadbot-pi --list-devices` shows what there is."
        ) from error


def _number_or_name(name: str) -> int | str:
    return int(name) if name.isdigit() else name


def list_sound_devices() -> str:
    """Returns the microphones and speakers, a line each, as a person reads them."""
    library = sound_library()
    lines = []
    for title, channels in (
        ("Microphones", "max_input_channels"),
        ("Speakers", "max_output_channels"),
    ):
        lines.append(f"{title}:")
        found = [device for device in library.query_devices() if device[channels] > 0]
        lines += [f"  {device['index']}: {device['name']}" for device in found] or ["  none"]
    return "\n".join(lines)
