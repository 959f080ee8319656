/** Calls of plugins, and what they call back for: Dify, and the storage they have there. */
import { createBackwardsInvocations, DifyClient, PluginStorage } from '../backwards-invocation/index.ts';
import type { Settings } from '../config/index.ts';
import { Admission, Invocations, type SessionRegistry } from '../invocation/index.ts';
import type { Routing } from '../routing/index.ts';
import type { PluginPolicies } from '../supervision/index.ts';
import type { Budgets } from './budgets.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';
import { registered } from './functions.ts';
import { observeInvocations } from './observation.ts';

export function openDify(
  { settings, dataDirectory }: Pick<Foundation, 'dataDirectory'> & { readonly settings: Settings },
  closing: Closing,
): DifyClient {
  const dify = new DifyClient({
    url: settings.DIFY_INNER_API_URL,
    key: dataDirectory.difyInnerApiKey.value,
    readTimeoutMs: settings.DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT,
    writeTimeoutMs: settings.DIFY_BACKWARDS_INVOCATION_WRITE_TIMEOUT,
    maxResponseBytes: settings.RESPONSE_MAX_BUFFER_SIZE,
  });
  return closing(dify, (d) => d.close());
}

interface InvocationsParts extends Foundation {
  readonly settings: Settings;
  readonly dify: DifyClient;
  readonly budgets: Budgets;
  readonly routing: Routing;
  readonly registry: SessionRegistry | undefined;
  readonly policies: Pick<PluginPolicies, 'limitsOf' | 'limitsAny'>;
}

export function invocationsOf(parts: InvocationsParts): Invocations {
  const { settings, dify, budgets, log, metrics, upstreamCaches } = parts;
  const storage = new PluginStorage({
    objects: parts.objects,
    quotas: parts.database.tenantStorages,
    prefix: settings.PERSISTENCE_STORAGE_PATH,
    maxSize: settings.PERSISTENCE_STORAGE_MAX_SIZE,
    onChanged: (namespace, key) => upstreamCaches?.forgetStored(namespace, key),
  });
  return new Invocations({
    routing: parts.routing,
    backwards: createBackwardsInvocations({
      dify,
      storage,
      budgets,
      log: log.child({ component: 'backwards-invocation' }),
    }),
    limits: { totalSeconds: settings.PLUGIN_MAX_EXECUTION_TIMEOUT, idleSeconds: settings.PLUGIN_IDLE_TIMEOUT },
    kept: budgets.agentFiles,
    admission: new Admission({
      limitsOf: (pluginId) => parts.policies.limitsOf(pluginId),
      isAny: () => parts.policies.limitsAny,
      onRefused: (plugin_id, reason) => metrics.plugin_calls_refused_total.inc({ plugin_id, reason }),
    }),
    ...registered(parts.registry, observeInvocations(metrics, log.child({ component: 'invocation' }))),
  });
}
