"""Reads the pages of a sitemap one by one and reports progress after each."""

from collections.abc import Generator, Mapping
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import httpx
from dify_plugin.entities.datasource import WebsiteCrawlMessage, WebSiteInfo, WebSiteInfoDetail
from dify_plugin.interfaces.datasource.website import WebsiteCrawlDatasource

TIMEOUT_SECONDS = 20
HIDDEN = {"script", "style", "noscript", "template"}
LARGEST_SITEMAP = 10 * 1024 * 1024


class PagesDatasource(WebsiteCrawlDatasource):
    def _get_website_crawl(
        self, datasource_parameters: Mapping[str, Any]
    ) -> Generator[WebsiteCrawlMessage, None, None]:
        limit = int(datasource_parameters.get("limit") or 10)
        headers = {"User-Agent": str(self.runtime.credentials.get("user_agent") or "sitemap-reader")}
        with httpx.Client(headers=headers, timeout=TIMEOUT_SECONDS, follow_redirects=True) as http:
            addresses = page_addresses(http, str(datasource_parameters["url"]))[:limit]
            result = WebSiteInfo(web_info_list=[], status="processing", total=len(addresses), completed=0)
            yield self.create_crawl_message(result)
            for address in addresses:
                result.web_info_list.append(read_page(http, address))
                result.completed += 1
                yield self.create_crawl_message(result)
        result.status = "completed"
        yield self.create_crawl_message(result)


def page_addresses(http: httpx.Client, url: str) -> list[str]:
    response = http.get(url)
    response.raise_for_status()
    if len(response.content) > LARGEST_SITEMAP:
        raise ValueError(f"the sitemap has more than {LARGEST_SITEMAP} bytes")
    root = ElementTree.fromstring(response.content)
    found = [(node.text or "").strip() for node in root.iter() if node.tag.rpartition("}")[2] == "loc"]
    if not found:
        raise ValueError(f"{url} lists no pages: is it a sitemap?")
    return found


def read_page(http: httpx.Client, address: str) -> WebSiteInfoDetail:
    """A page that cannot be read stays in the list, with the reason in the place of its description."""
    try:
        response = http.get(address)
        response.raise_for_status()
    except httpx.HTTPError as error:
        return WebSiteInfoDetail(source_url=address, title=address, description=f"not read: {error}", content="")
    page = PageText()
    page.feed(response.text)
    return WebSiteInfoDetail(
        source_url=address, title=page.title or address, description=page.description, content=page.text()
    )


class PageText(HTMLParser):
    """Title, description and visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.description = ""
        self._lines: list[str] = []
        self._hidden = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in HIDDEN
        self._in_title = tag == "title"
        named = dict(attrs)
        if tag == "meta" and named.get("name") == "description":
            self.description = named.get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in HIDDEN
        self._in_title = False

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text or self._hidden > 0:
            return
        if self._in_title:
            self.title = text
        else:
            self._lines.append(text)

    def text(self) -> str:
        return "\n".join(self._lines)
