/** Why a call back is not served, in the lines that the SDK reads. */
import { escapeLineEnds } from '@plugin-daemon/plugin-host/text';

export interface TransactionRefusal {
  readonly sessionId: string;
  /** Empty where the call has none. */
  readonly backwardsRequestId?: string;
  /** For programs; default `BadTransaction`. */
  readonly type?: string;
  readonly text: string;
}

export function refusalLines({
  sessionId,
  backwardsRequestId = '',
  type = 'BadTransaction',
  text,
}: TransactionRefusal): string {
  const line = (event: 'error' | 'end', message: string, data: object | null): string =>
    `${escapeLineEnds(
      JSON.stringify({
        session_id: sessionId.toWellFormed(),
        conversation_id: null,
        message_id: null,
        app_id: null,
        endpoint_id: null,
        context: null,
        event: 'backwards_response',
        data: { backwards_request_id: backwardsRequestId.toWellFormed(), event, message, data },
      }),
    )}\n\n`;
  return line('error', text, { error_type: type, detail: text }) + line('end', '', null);
}
