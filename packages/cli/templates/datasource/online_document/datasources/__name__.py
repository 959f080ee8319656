from collections.abc import Generator, Mapping
from typing import Any

from dify_plugin.entities.datasource import (
    DatasourceGetPagesResponse,
    DatasourceMessage,
    GetOnlineDocumentPageContentRequest,
    OnlineDocumentInfo,
    OnlineDocumentPage,
)
from dify_plugin.interfaces.datasource.online_document import OnlineDocumentDatasource


class {{class}}DataSource(OnlineDocumentDatasource):
    def _get_pages(self, datasource_parameters: Mapping[str, Any]) -> DatasourceGetPagesResponse:
        """Lists the pages of every workspace the user may read."""
        credentials = self.runtime.credentials
        page = OnlineDocumentPage(
            page_id="page-1",
            page_name="Example page",
            page_icon=None,
            type="page",
            last_edited_time="2025-01-01T00:00:00Z",
            parent_id=None,
        )
        workspace = OnlineDocumentInfo(
            workspace_id=credentials.get("workspace_id", "workspace-1"),
            workspace_name=credentials.get("workspace_name", "Example workspace"),
            workspace_icon=credentials.get("workspace_icon", ""),
            total=1,
            pages=[page],
        )
        return DatasourceGetPagesResponse(result=[workspace])

    def _get_content(self, page: GetOnlineDocumentPageContentRequest) -> Generator[DatasourceMessage, None, None]:
        """Fetches one page; the variables are those of output_schema."""
        yield self.create_variable_message("content", f"Text of {page.page_id}")
        yield self.create_variable_message("page_id", page.page_id)
        yield self.create_variable_message("workspace_id", page.workspace_id)
