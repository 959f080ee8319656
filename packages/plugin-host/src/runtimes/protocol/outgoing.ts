/** Lines that the daemon itself sends to plugins: they belong to a session, but to no call of Dify. */

const sessionLine = (sessionId: string, event: string, data: object): string =>
  JSON.stringify({
    session_id: sessionId,
    conversation_id: null,
    message_id: null,
    app_id: null,
    endpoint_id: null,
    context: null,
    event,
    data,
  });

/**
 * Tells a plugin that nobody waits for a session any more. SDKs that do not know the event log it and go on
 * (research: unknown events leave the session unharmed), so it is safe to send to all.
 */
export const cancelLine = (sessionId: string): string => sessionLine(sessionId, 'cancel', {});

/**
 * The answer to a plugin that calls back for a session that is over; it spares it a wait of minutes
 * (docs/wire/runtime-protocol.md#session-messages).
 */
export const endedSessionLines = (sessionId: string, backwardsRequestId: string): readonly string[] =>
  [
    { event: 'error', message: 'session not found: it has ended' },
    { event: 'end', message: '' },
  ].map(({ event, message }) =>
    sessionLine(sessionId, 'backwards_response', {
      backwards_request_id: backwardsRequestId,
      event,
      message,
      data: null,
    }),
  );
