from collections.abc import Generator, Mapping
from typing import Any

from dify_plugin.entities.datasource import WebSiteInfo, WebSiteInfoDetail, WebsiteCrawlMessage
from dify_plugin.interfaces.datasource.website import WebsiteCrawlDatasource


class {{class}}DataSource(WebsiteCrawlDatasource):
    def _get_website_crawl(
        self, datasource_parameters: Mapping[str, Any]
    ) -> Generator[WebsiteCrawlMessage, None, None]:
        """Report progress with status "processing", then everything found with status "completed"."""
        url = datasource_parameters["url"]
        yield self.create_crawl_message(WebSiteInfo(status="processing", web_info_list=[], total=1, completed=0))
        page = WebSiteInfoDetail(source_url=url, content="Hello, world!", title="Example page", description="Made up")
        yield self.create_crawl_message(WebSiteInfo(status="completed", web_info_list=[page], total=1, completed=1))
