from collections.abc import Generator

from dify_plugin.entities.datasource import (
    DatasourceMessage,
    OnlineDriveBrowseFilesRequest,
    OnlineDriveBrowseFilesResponse,
    OnlineDriveDownloadFileRequest,
    OnlineDriveFile,
    OnlineDriveFileBucket,
)
from dify_plugin.interfaces.datasource.online_drive import OnlineDriveDatasource


class {{class}}DataSource(OnlineDriveDatasource):
    def _browse_files(self, request: OnlineDriveBrowseFilesRequest) -> OnlineDriveBrowseFilesResponse:
        """Lists one folder (`prefix`); continue with `next_page_parameters` when there is more."""
        files = [OnlineDriveFile(id="hello.txt", name="hello.txt", size=13, type="file")]
        return OnlineDriveBrowseFilesResponse(
            result=[
                OnlineDriveFileBucket(
                    bucket=request.bucket, files=files, is_truncated=False, next_page_parameters=None
                )
            ]
        )

    def _download_file(self, request: OnlineDriveDownloadFileRequest) -> Generator[DatasourceMessage, None, None]:
        """Sends one file."""
        yield self.create_blob_message(b"Hello, world!", meta={"file_name": request.id, "mime_type": "text/plain"})
