"""The tool of the example, replaced by one that works in the way it is told to until it is ended."""

import asyncio
import threading
import time
import urllib.request
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import requests
from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

shared = ThreadPoolExecutor(4)


def by_urllib(url):
    with urllib.request.urlopen(url) as response:
        while response.read(1):
            pass


def by_requests(url):
    for _ in requests.get(url, stream=True, timeout=100).iter_content(1):
        pass


def by_httpx(url):
    with httpx.stream("GET", url, timeout=100) as response:
        for _ in response.iter_bytes(1):
            pass


def by_pool(url):
    with ThreadPoolExecutor() as pool:
        list(pool.map(by_urllib, [url, url]))


def by_shared_pool(url):
    list(shared.map(by_urllib, [url]))


def by_thread(url):
    thread = threading.Thread(target=by_urllib, args=(url,))
    thread.start()
    thread.join()


def by_asyncio(url):
    async def read():
        async with httpx.AsyncClient(timeout=100) as client, client.stream("GET", url) as response:
            async for _ in response.aiter_bytes(1):
                pass

    asyncio.run(read())


def by_catching_exceptions(url):
    while True:
        try:
            by_urllib(url)
        except Exception:
            pass


def by_waiting(_url):
    time.sleep(0.5)


def by_computing(_url):
    until = time.monotonic() + 300
    while time.monotonic() < until:
        pass


class ReportTool(Tool):
    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        how, _, url = str(tool_parameters["text"]).partition(" ")
        yield self.create_text_message("begun")
        if how == "count":
            for number in range(1000):
                time.sleep(0.01)
                yield self.create_text_message(str(number))
        elif how != "nothing":
            globals()["by_" + how](url)
        yield self.create_text_message("done")
