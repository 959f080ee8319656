import { record, required, string } from '@plugin-daemon/wire-schema';
import { difyKind } from './kind.ts';

export const fileKinds = [
  // No permission (docs/wire/runtime-protocol.md#kinds-and-permissions): Dify answers with a signed address, the plugin uploads there
  // itself.
  difyKind({
    type: 'upload_file',
    path: 'upload/file/request',
    failure: 'upload file failed: ',
    request: record('UploadFileRequest', {
      filename: string('Filename').check(required),
      mimetype: string('MimeType').check(required),
    }),
  }),
];
