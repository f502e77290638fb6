"""Changes are told by the kernel or found by looking, and a look that fails is not the last one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatepost.app import followed_tree
from gatepost.app.followed_tree import FollowedTree
from gatepost.config import load as load_config
from gatepost.desk.srv_follow import TreeFollower
from gatepost.plugin.registry import load
from gatepost.store.policy_db import PolicyStore
from gatepost.telemetry.log import Log
from tests.desk.test_srv_read import touch

Step = Callable[[], object]


def follow(tmp_path: Path, *steps: Step, told: bool = False) -> str:
    """Follow `srv` while the steps are done, each when what it waits for is true; returns the log.

    `told`: not before the kernel tells of changes.
    """
    text = f'data_dir = "{tmp_path}"\n[files]\nsrv = "{tmp_path}/srv"\nroute = "smtp://127.0.0.1:26"\n'
    (tmp_path / "gatepost.toml").write_text(f'{text}blacklist_d = ""\n')
    config = load_config(str(tmp_path / "gatepost.toml"), {})
    log = Log(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND))

    async def go() -> None:
        followed = FollowedTree(config, load(None), log)
        tree = asyncio.get_running_loop().create_task(followed.run())
        async with asyncio.timeout(60):
            while told and not followed._watching:
                await asyncio.sleep(0.02)
            for step in steps:
                while not step():
                    await asyncio.sleep(0.02)
        tree.cancel()
        await asyncio.gather(tree, return_exceptions=True)

    asyncio.run(go())
    return (tmp_path / "log").read_text()


def entries(tmp_path: Path) -> set[str]:
    """Return what is denied everywhere, as another process sees it."""
    if not (tmp_path / "policy.db").exists():
        return set()
    store = PolicyStore(tmp_path / "policy.db")
    try:
        return {entry.value for entry in store.entries("all")}
    finally:
        store.close()


def done(act: Callable[..., None], *arguments: Any) -> bool:
    """Do something, once."""
    act(*arguments)
    return True


def steps(tmp_path: Path) -> list[Step]:
    """A file that is there, one that comes, one that goes."""
    tlds = tmp_path / "srv/_global_/blacklisted/tld"
    touch(tlds, "ru")
    return [
        lambda: entries(tmp_path) == {"ru"},
        partial(done, touch, tlds, "sa"),
        lambda: entries(tmp_path) == {"ru", "sa"},
        partial(done, (tlds / "ru").unlink),
        lambda: entries(tmp_path) == {"sa"},
    ]


def test_told_by_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the look at everything far away, a change is seen because the kernel tells which folder."""
    monkeypatch.setattr(followed_tree, "EVERYTHING", 600.0)
    real = TreeFollower.look
    looked: list[set[str] | None] = []

    def noted(follower: Any, dirty: set[str] | None = None) -> Any:
        looked.append(dirty)
        return real(follower, dirty)

    monkeypatch.setattr(TreeFollower, "look", noted)
    follow(tmp_path, *steps(tmp_path), told=True)
    assert {"_global_"} in looked


def test_nobody_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing tells of changes (too many watches, a network file system) looking finds them."""

    def fails(*_places: Path, **_how: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("watchfiles.awatch", fails)
    said = follow(tmp_path, *steps(tmp_path))
    assert "1 added" in said


def test_a_look_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and the next look does the work."""
    real = TreeFollower.look
    failures = [RuntimeError("odd"), OSError("gone")]

    def sometimes(follower: Any, dirty: set[str] | None = None) -> Any:
        if failures:
            raise failures.pop()
        return real(follower, dirty)

    monkeypatch.setattr(TreeFollower, "look", sometimes)
    said = follow(tmp_path, *steps(tmp_path))
    assert "the look failed" in said
