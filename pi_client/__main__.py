"""Starts the client, shows its faults as sentences, and ends it politely."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress

# Before grpc is imported: its own messages are not for the person, and the server that
# --standalone starts shares nothing with it.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from pi_client import link, plan
from pi_client.camera import list_cameras
from pi_client.client import Conversation
from pi_client.config import Options, parse
from pi_client.devices import list_sound_devices
from pi_client.equipment import open_devices
from pi_client.errors import ClientError
from pi_client.help_aloud import help_aloud
from pi_client.record import Record
from pi_client.rights import Rights

# As a shell counts a program that a second Ctrl-C ended.
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `tadbot-pi` and returns its exit status."""
    options = parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="tadbot-pi: %(message)s", stream=sys.stderr)
    try:
        if options.list_devices:
            print(list_cameras())
            print(list_sound_devices())
        elif options.command == "plan":
            print(plan.shown())
        elif options.command == "help-line":
            help_aloud(options.speaker)
        else:
            asyncio.run(run(options))
    except ClientError as error:
        print(f"tadbot-pi: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _INTERRUPTED
    return 0


async def run(options: Options) -> None:
    """Holds one talk.

    SIGINT or SIGTERM say goodbye; a second one ends it at once.
    Raises ClientError if something fails.
    """
    stop = asyncio.Event()
    _listen_to_signals(stop)
    with ExitStack() as stack:
        rights = Rights(options.consents)
        devices = open_devices(options, rights, stack)
        record = Record(options, stack)
        conversation = Conversation(options, devices, record, rights)
        try:
            await _reach(conversation, options, stop)
        except ClientError:
            conversation.failed()
            raise


async def _reach(conversation: Conversation, options: Options, stop: asyncio.Event) -> None:
    if not options.standalone:
        await _talk(conversation, options, options.server, stop)
        return
    # Only here does the client know of the server's program.
    from pi_client.standalone import standalone_server

    async with standalone_server(options, stop) as address:
        if not stop.is_set():
            await _talk(conversation, options, address, stop)


async def _talk(
    conversation: Conversation, options: Options, address: str, stop: asyncio.Event
) -> None:
    async with link.connect(address, options.keys) as stub:
        await conversation.run(stub, address, stop)


def _listen_to_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def ask_to_end() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    # Windows has no signal handlers in a loop; there Ctrl-C raises KeyboardInterrupt.
    with suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGINT, ask_to_end)
        loop.add_signal_handler(signal.SIGTERM, ask_to_end)


if __name__ == "__main__":
    sys.exit(main())
