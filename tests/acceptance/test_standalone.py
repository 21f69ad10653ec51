"""Everything on one machine: client, server and database with one flag."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import jiwer
import psutil

from tests.acceptance.house import BIN, plain, processes_of, recording, talk

MOST_BYTES = 1.5 * 2**30


def _memory(processes: list[psutil.Process]) -> int:
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


async def test_a_talk_needs_no_other_machine(tmp_path: Path) -> None:
    data = tmp_path / "data"
    said = "I had a really long day, and I miss my sister Anna."
    microphone = await recording(tmp_path / "question.wav", 7.5, said, 0.5)
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.is_set():
            peak[0] = max(peak[0], _memory(processes_of(str(data))))
            time.sleep(0.5)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        where = ["--standalone", "--data-dir", str(data)]
        done = talk(where, microphone, tmp_path, "--consent", "memory")
    finally:
        over.set()
        watcher.join()

    assert jiwer.wer(plain(said), plain(done.words)) <= 0.2
    assert done.reply(done.of("transcript")[-1]["turn"])
    assert 100 * 2**20 < peak[0] <= MOST_BYTES
    assert processes_of(str(data)) == []
    query = "select text from session_log where speaker = 'person'"
    command = [str(BIN / "tadbot-server"), "sql", "--csv", "--data-dir", str(data), query]
    log = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.words in log.stdout
    assert processes_of(str(data)) == []


async def test_a_killed_client_leaves_no_process(tmp_path: Path) -> None:
    data = tmp_path / "data"
    microphone = await recording(tmp_path / "question.wav", 60.0)
    command = [sys.executable, "-m", "pi_client", "--standalone", "--data-dir", str(data)]
    command += ["--microphone", str(microphone), "--speaker", "none"]
    client = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(processes_of(str(data))) < 4 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(processes_of(str(data))) >= 4
    client.kill()
    client.wait()
    deadline = time.monotonic() + 40
    while processes_of(str(data)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_of(str(data)) == []
