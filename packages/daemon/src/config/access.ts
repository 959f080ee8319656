import { isIP } from 'node:net';
import { choice, InvalidValue, integer, list, port, text } from './setting.ts';

/** Who may ask what, and how much of the HTTP server one of them may take. Exists only in this daemon. */
export const accessSettings = {
  SERVER_KEY_PREVIOUS: text({
    secret: true,
    defaultText: 'the content of `DATA_DIR/keys/server-key.previous`, if there is that file',
    meaning:
      'The former `SERVER_KEY`, accepted beside it while callers change over. The log names addresses that still use it; unset it when it names none any more.',
    usedBy: 'http',
    own: true,
  }),
  ADMIN_API_KEY_PREVIOUS: text({
    secret: true,
    meaning: 'The former `ADMIN_API_KEY`, accepted beside it while callers change over.',
    usedBy: 'http',
    own: true,
  }),
  DETAILS_ACCESS: choice(
    { auto: 'auto', open: 'open', key: 'key' },
    {
      default: 'auto',
      meaning:
        'Who sees `/metrics/`, `/docs`, `/openapi.json` and what exactly is not ready at `/readyz`: `open` everybody; `key` those who send `SERVER_KEY`, `ADMIN_API_KEY` or `DETAILS_KEY` (as `X-Api-Key`, `Authorization: Bearer`, or the password a browser asks for); `auto` is `open` while the server listens on the loopback alone, else `key`.',
      usedBy: 'http',
      own: true,
    },
  ),
  DETAILS_KEY: text({
    secret: true,
    meaning: 'A key that opens the details alone, for collectors of metrics.',
    usedBy: 'http',
    own: true,
  }),
  DETAILS_PORT: port({
    default: 0,
    defaultText: '0: none',
    meaning:
      'Port of a second HTTP server that shows health, metrics and description without a key, for a network that only operators reach.',
    usedBy: 'http',
    own: true,
  }),
  DETAILS_HOST: text({
    default: '127.0.0.1',
    meaning: 'Address the second HTTP server binds.',
    usedBy: 'http',
    own: true,
  }),
  TRUSTED_PROXIES: list({
    default: [],
    meaning:
      'Addresses and networks (`10.0.0.0/8`) of reverse proxies. Of their requests the address in `X-Forwarded-For` counts, for limits, log and audit.',
    usedBy: 'http',
    own: true,
    refuse: (networks) => {
      const wrong = networks.find((network) => !isNetwork(network));
      if (wrong !== undefined)
        throw new InvalidValue(
          `names ${wrong.slice(0, 60)}, which is no address or network`,
          'write IP addresses, or networks such as 172.16.0.0/12, separated by commas',
        );
    },
  }),
  MAX_HEADER_BYTES: integer({
    default: 65_536,
    zeroIsDefault: true,
    min: 8192,
    max: 1_048_576,
    unit: 'bytes',
    meaning: 'Largest head of a request. A larger one is answered with 431.',
    usedBy: 'http',
    own: true,
  }),
  HTTP_HEAD_TIMEOUT: integer({
    default: 15,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Longest time until the head of a request has arrived; then 408.',
    usedBy: 'http',
    own: true,
  }),
  HTTP_REQUEST_TIMEOUT: integer({
    default: 300,
    zeroIsDefault: true,
    unit: 's',
    meaning:
      'Longest time until a request has arrived with its body; then 408. Answers and streams may take as long as they take.',
    usedBy: 'http',
    own: true,
  }),
  MAX_CONNECTIONS: integer({
    default: 10_000,
    zeroIsDefault: true,
    meaning: 'HTTP connections open at the same time. Further ones are closed at once.',
    usedBy: 'http',
    own: true,
  }),
  MAX_CONNECTIONS_PER_ADDRESS: integer({
    default: 1024,
    zeroIsDefault: true,
    meaning:
      'HTTP connections of one address (of IPv6: one /64 network) that have not brought a key, at the same time. An address that has had one within a day, and `TRUSTED_PROXIES`, are exempt.',
    usedBy: 'http',
    own: true,
  }),
  MAX_PUBLIC_REQUESTS_PER_ADDRESS: integer({
    default: 512,
    zeroIsDefault: true,
    meaning:
      'Requests of one address on webhooks and other routes without a key, open at the same time. Further ones are answered with 429. Behind a reverse proxy set `TRUSTED_PROXIES`, so that clients are told apart.',
    usedBy: 'http',
    own: true,
  }),
  MAX_FAILED_AUTH_PER_MINUTE: integer({
    default: 60,
    zeroIsDefault: true,
    meaning:
      'Requests of one address with a wrong or missing key within a minute. Further ones are answered with 429 until the minute is over, also with the right key unless the address had it before.',
    usedBy: 'http',
    own: true,
  }),
  AUDIT_RETENTION_DAYS: integer({
    default: 365,
    max: 36_500,
    meaning:
      'How long the database keeps who installed, upgraded, removed or rotated what; 0 for ever. The same lines stand in `DATA_DIR/audit.jsonl`.',
    usedBy: 'audit',
    own: true,
  }),
};

/** Whether a text is an address, or a network such as `10.0.0.0/8`. */
function isNetwork(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const kind = isIP(address);
  if (kind === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128));
}
