"""Worker locks: who lives holds one, however the clock goes, and who is killed holds none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from models.jobs.worker_lock import WorkerLock

HOLD = """
import sys
from pathlib import Path
from models.jobs.worker_lock import WorkerLock
lock = WorkerLock(Path(sys.argv[1]))
print(lock.id, flush=True)
sys.stdin.read()
"""


def test_worker_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    own = WorkerLock(tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        other = process.stdout.readline().strip()
        assert own.is_alive(other)
        own.sweep()
        assert own.is_alive(other)
        process.kill()
        process.wait()

    assert not own.is_alive(other)
    assert own.is_alive(own.id)
    own.sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["lock", own.id])
    own.close()


def test_worker_that_has_closed_its_lock_is_not_alive(tmp_path: Path) -> None:
    first, second = WorkerLock(tmp_path), WorkerLock(tmp_path)
    assert second.is_alive(first.id)

    first.close()

    assert not second.is_alive(first.id)
    assert not second.is_alive("unknown")
    second.close()
