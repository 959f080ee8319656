import { embed, object, oneOf, record, required, string } from '@plugin-daemon/wire-schema';
import { difyKind } from './kind.ts';

export const toolKinds = [
  difyKind({
    type: 'tool',
    path: 'invoke/tool',
    failure: 'invoke tool failed: ',
    readFailure: 'read tool response failed: ',
    request: record(
      'InvokeToolRequest',
      {
        tool_type: string('ToolType')
          .called('requests.ToolType')
          .check(required, oneOf(['builtin', 'workflow', 'api', 'mcp'], 'tool_type')),
        credential_id: string('CredentialId'),
        credential_type: string('CredentialType').omit(),
      },
      embed('InvokeToolSchema', {
        provider: string('Provider').check(required),
        tool: string('Tool').check(required),
        tool_parameters: object('ToolParameters'),
      }),
    ),
  }),
];
