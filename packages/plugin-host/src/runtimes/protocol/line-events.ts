/** What a channel reports besides the messages of its sessions. Called synchronously; must not block. */
export interface LineChannelEvents {
  heartbeat(): void;
  /** A `log` event of the plugin's logging handler. */
  log(level: string, message: string): void;
  /** What our addition to the SDK says of itself, with a log event: whatever the plugin wrote there. */
  addition?(said: unknown): void;
  /** An `error` event: the text of its data, at most 1,024 characters of it. */
  pluginError(data: string): void;
  /** Anything that is no event: print() output, the manifest line. At most 1,024 characters of it. */
  stray(text: string): void;
  /** Something of ours threw while it dealt with what the plugin said. The session it belongs to, if any, has failed. */
  fault(error: unknown): void;
  /** The plugin calls back for a session that is over; it waits for an answer on this id. */
  lateInvoke(sessionId: string, backwardsRequestId: string): void;
  /** A session is over, whoever ended it. */
  closed?(sessionId: string): void;
}
