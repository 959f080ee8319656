/** Lines that the channel itself sends to plugins. */

/**
 * Tells a plugin that nobody waits for a session any more. SDKs that do not know the event log it and go on
 * (research: unknown events leave the session unharmed), so it is safe to send to all.
 */
export const cancelLine = (sessionId: string): string =>
  JSON.stringify({
    session_id: sessionId,
    conversation_id: null,
    message_id: null,
    app_id: null,
    endpoint_id: null,
    context: null,
    event: 'cancel',
    data: {},
  });
