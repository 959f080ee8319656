import type { Wire } from './channel.ts';

/** The way to the process that forked this one; undefined when none did. */
export function parentWire(): Wire | undefined {
  if (process.send === undefined) return undefined;
  return {
    send(message) {
      // An error means that the primary process is gone, which the end of the channel tells as well.
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => void process.on('message', listener),
    onClosed: (listener) => void process.once('disconnect', listener),
  };
}
