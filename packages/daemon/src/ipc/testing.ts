import { Channel, type Wire } from './channel.ts';

/** Both ends of a channel inside one process, for tests. */
export function channelPair(): { readonly primary: Channel; readonly worker: Channel; readonly cut: () => void } {
  const { port1, port2 } = new MessageChannel();
  const wire = (port: typeof port1): Wire => ({
    send: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.onmessage = ({ data }: { readonly data: unknown }) => listener(data);
    },
    onClosed: (listener) => port.addEventListener('close', listener, { once: true }),
  });
  return { primary: new Channel(wire(port1)), worker: new Channel(wire(port2)), cut: () => port1.close() };
}
