import { expect, test } from 'vitest';
import { parseEgress } from '../../config/index.ts';
import { isAllowed } from './policy.ts';

test.each([
  [['api.example.org'], 'api.example.org', 443, true],
  [['api.example.org'], 'API.Example.Org.', 443, true],
  [['api.example.org'], 'xapi.example.org', 443, false],
  [['api.example.org'], 'api.example.org.evil.test', 443, false],
  [['*.example.org'], 'a.b.example.org', 443, true],
  [['*.example.org'], 'example.org', 443, false],
  [['*.example.org'], 'evilexample.org', 443, false],
  [['api.example.org:8080'], 'api.example.org', 8080, true],
  [['api.example.org:8080'], 'api.example.org', 443, false],
  [['10.1.0.0/16'], '10.1.2.3', 80, true],
  [['10.1.0.0/16'], '10.2.2.3', 80, false],
  [['10.1.0.0/16'], '10.1.2.3.example.org', 80, false],
  [['2001:db8::/32'], '[2001:db8::1]', 80, true],
  [['2001:db8::/32'], '10.1.2.3', 80, false],
  [['127.0.0.1:9000'], '127.0.0.1', 9000, true],
  [['::1'], '[::1]', 1, true],
  [[], 'anything', 80, false],
])('%j lets %s:%i through: %s', (entries, host, port, allowed) => {
  expect(isAllowed(parseEgress(entries.join(',') || 'none'), host, port)).toBe(allowed);
});

test('without a policy everything passes', () => expect(isAllowed('all', '169.254.169.254', 80)).toBe(true));

test.each(['http://x', 'a b', '*', '*.', 'x:0', 'x:99999', '10.0.0.0/33', 'a/b', 'x:y', '10.0.0/8', 'all,x', 'x,none'])(
  '%j is no policy',
  (text) => expect(() => parseEgress(text)).toThrow('no host and no network'),
);
