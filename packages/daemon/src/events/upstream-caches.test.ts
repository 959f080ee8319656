import { expect, test, vi } from 'vitest';
import { silentLog } from '../telemetry/index.ts';
import { UpstreamCaches } from './upstream-caches.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const IDENTIFIER = `take/beta:0.0.1@${'8'.repeat(64)}`;

function made(failures = 0) {
  const dropped: string[] = [];
  let left = failures;
  const cache = {
    delete: async (key: string) => {
      if (left-- > 0) throw new Error('no Redis');
      dropped.push(key);
      return true;
    },
  };
  return { dropped, caches: new UpstreamCaches({ cache, log: silentLog, retryMs: 1 }) };
}

test("what changes here is dropped under the existing daemon's names", async () => {
  const { dropped, caches } = made();
  caches.forget('endpoints', 'xa19iq9z5v44vzkn');
  caches.forget('installations', `${TENANT}\0take/alpha`);
  caches.forget('declarations', IDENTIFIER);
  caches.forgetStored({ tenantId: TENANT, pluginId: 'take/alpha' }, 'k');
  await caches.close();
  // As they stood in a Redis that one of its nodes had filled.
  const type = 'auto_type:github.com/langgenius/dify-plugin-daemon';
  expect(dropped).toEqual([
    `${type}/internal/types/models.Endpoint:hook_id:xa19iq9z5v44vzkn`,
    `${type}/internal/types/models.PluginInstallation:plugin_id:take/alpha:tenant_id:${TENANT}`,
    `model_installations:tenant_id:${TENANT}`,
    `${type}/pkg/entities/plugin_entities.PluginDeclaration:declaration_cache:local:${IDENTIFIER}`,
    `${type}/pkg/entities/plugin_entities.PluginDeclaration:declaration_cache:remote:${IDENTIFIER}`,
    `${type}/pkg/entities/plugin_entities.PluginDeclaration:declaration_cache:serverless:${IDENTIFIER}`,
    `persistence:cache:${TENANT}:take/alpha:k`,
  ]);
});

test('while Redis does not answer it is tried again, and nothing is left out', async () => {
  const { dropped, caches } = made(5);
  for (const hook of ['a', 'b', 'c']) caches.forget('endpoints', hook);
  await vi.waitFor(() => expect(dropped.map((key) => key.at(-1))).toEqual(['a', 'b', 'c']), { timeout: 60_000 });
  await caches.close();
});

test('closing does not wait for a Redis that is gone', async () => {
  const { dropped, caches } = made(Number.POSITIVE_INFINITY);
  caches.forget('endpoints', 'a');
  await caches.close();
  expect(dropped).toEqual([]);
});
