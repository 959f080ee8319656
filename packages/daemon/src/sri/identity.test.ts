import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fileNameOf, functionNameOf, identifierOf } from './identity.ts';

const CHECKSUM = 'ab'.repeat(32);

test.each([
  `acme/some_tool:1.2.3@${CHECKSUM}`,
  `some-tool:0.0.1@${CHECKSUM}`,
  `a/b:1.0-beta1@${CHECKSUM.slice(0, 32)}`,
])('the file name of %s stands for it', (identifier) => {
  expect(identifierOf(fileNameOf(identifier))).toBe(identifier);
});

test.each([
  '',
  '.difypkg',
  'a@b@1.0.0.difypkg',
  `a@b@1.0.0@${CHECKSUM}`,
  `../x@b@1.0.0@${CHECKSUM}.difypkg`,
  `A@b@1.0.0@${CHECKSUM}.difypkg`,
])('what is no such file name stands for nothing: %s', (name) => expect(identifierOf(name)).toBeUndefined());

test('a name fits every back end, whatever the plugin is called, and tells versions apart', () => {
  const name = fc.stringMatching(/^[a-z0-9_-]{1,255}$/);
  fc.assert(
    fc.property(name, fc.stringMatching(/^[a-f0-9]{64}$/), (plugin, checksum) => {
      const given = functionNameOf(`acme/${plugin}:0.0.1@${checksum}`);
      expect(given).toMatch(/^[a-z]([a-z0-9-]{0,50}[a-z0-9])?$/);
      expect(functionNameOf(`acme/${plugin}:0.0.2@${checksum}`)).not.toBe(given);
    }),
  );
});
