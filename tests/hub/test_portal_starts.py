"""What somebody is told who waits for a server."""

from __future__ import annotations

import asyncio

import pytest

from kamp_lib.hub.portal.hub import HubRefused
from kamp_lib.hub.portal.starts import Starts, failed_because, plain, refused_because

KEY = ("ann", "acme", "ann")


def test_what_the_spawner_says_is_passed_on() -> None:
    said = "Spawn failed: 400 SpawnException(reason=full): 디스크가 가득 찼습니다."
    assert failed_because(said) == "디스크가 가득 찼습니다."


@pytest.mark.parametrize(
    "message",
    [
        "Spawn failed: Server at http://127.0.0.1:41234/user/acme/ann didn't respond",
        "Spawn failed: [Errno 13] Permission denied: '/srv/kamp/tenants/acme'",
        "Spawn failed: HTTP 500: Internal Server Error",
        "Spawn cancelled",
        "",
    ],
)
def test_ports_paths_and_processes_are_not(message: str) -> None:
    assert failed_because(message) == ""


def test_a_long_message_is_cut() -> None:
    said = "Spawn failed: 400 SpawnException(reason=x): " + "y" * 10_000
    assert len(failed_because(said)) == 300


def test_an_event_is_cut_down_to_what_the_page_uses() -> None:
    event = {
        "progress": 250,
        "ready": "yes",
        "html_message": "<script>",
        "url": "//evil.example",
        "message": "Server requested",
    }
    assert plain(event) == {"progress": 100}
    assert plain({"ready": True, "url": "//evil"}) == {"ready": True}


def test_too_many_starts_at_once_is_said() -> None:
    text = refused_because(HubRefused(429, "try again"))
    assert text is not None
    assert "잠시 뒤" in text.ko
    assert refused_because(HubRefused(500, "Internal Server Error")) is None


async def refusing() -> None:
    raise HubRefused(403, "no")


async def fine() -> None:
    await asyncio.sleep(0)


def test_a_refusal_is_told_once() -> None:
    async def story() -> None:
        starts = Starts()
        await asyncio.wait([starts.begin(KEY, refusing())])
        assert not starts.running(KEY)
        assert isinstance(starts.refusal(KEY), HubRefused)
        assert starts.refusal(KEY) is None

    asyncio.run(story())


def test_a_start_that_went_well_is_forgotten() -> None:
    async def story() -> None:
        starts = Starts()
        task = starts.begin(KEY, fine())
        assert starts.running(KEY)
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert starts._asked == {}

    asyncio.run(story())
