import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differenceFrom, installedFromElsewhere, readDistributions } from './distributions.ts';

let sitePackages: string;

beforeAll(() => {
  sitePackages = mkdtempSync(join(tmpdir(), 'distributions-'));
  for (const name of [
    'dify_plugin-0.9.0',
    'Zope.Event-6.2',
    'pydantic_core-2.50.5',
    'a b-1',
    'x-1 2',
    '-1',
    'noversion',
  ])
    mkdirSync(join(sitePackages, `${name}.dist-info`));
  mkdirSync(join(sitePackages, 'gevent'));
});

afterAll(() => rmSync(sitePackages, { recursive: true, force: true }));

test('names are read as the index spells them, and what is no name of a distribution is left out', async () => {
  expect([...(await readDistributions(sitePackages))].sort()).toEqual([
    ['dify-plugin', '0.9.0'],
    ['pydantic-core', '2.50.5'],
    ['zope-event', '6.2'],
  ]);
});

test('another version, and a missing one, differ', async () => {
  const there = await readDistributions(sitePackages);
  expect(differenceFrom(new Map([['zope-event', '6.2']]), there)).toBeUndefined();
  expect(differenceFrom(new Map([['zope-event', '6.3']]), there)).toBe('zope-event');
  expect(differenceFrom(new Map([['gevent', '25.5.1']]), there)).toBe('gevent');
});

test('one that was installed from an address is found', async () => {
  const there = await readDistributions(sitePackages);
  expect(await installedFromElsewhere(sitePackages, there)).toBeUndefined();
  writeFileSync(join(sitePackages, 'Zope.Event-6.2.dist-info/direct_url.json'), '{}');
  expect(await installedFromElsewhere(sitePackages, there)).toBe('zope-event');
  expect(await installedFromElsewhere(sitePackages, new Map([['dify-plugin', '0.9.0']]))).toBeUndefined();
});
