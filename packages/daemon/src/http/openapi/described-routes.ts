import { adminRoutes } from '../admin/index.ts';
import { assetRoutes } from '../assets/index.ts';
import { debuggingRoutes } from '../debugging/index.ts';
import { dispatchRoutes } from '../dispatch/index.ts';
import { endpointRoutes } from '../endpoints/index.ts';
import { healthRoutes } from '../health/index.ts';
import { managementRoutes } from '../management/index.ts';
import { pluginLogRoutes } from '../plugin-logs/index.ts';
import type { AnyRoute } from '../route.ts';
import { sessionRoutes } from '../sessions/index.ts';
import { transactionRoutes } from '../transactions/index.ts';
import { webhookFailureRoutes, webhookRoutes } from '../webhooks/index.ts';
import { descriptionRoutes } from './routes.ts';

/** Every route the daemon can have, whatever its settings, as data: their handlers have nothing behind them. */
export function describedRoutes(): readonly AnyRoute[] {
  const routes = [
    ...managementRoutes(nothing()),
    ...dispatchRoutes(nothing()),
    ...endpointRoutes(nothing()),
    ...webhookFailureRoutes(nothing()),
    ...webhookRoutes(nothing()),
    ...debuggingRoutes(nothing()),
    ...assetRoutes(nothing()),
    ...pluginLogRoutes(nothing()),
    ...sessionRoutes(nothing()),
    ...adminRoutes(nothing()),
    ...transactionRoutes(nothing()),
    ...healthRoutes(nothing()),
  ];
  return [...routes, ...descriptionRoutes(routes)];
}

/** Stands for parts that only handlers use: tables may take hold of its members, but nobody may call them. */
function nothing<T extends object>(): T {
  const part: unknown = new Proxy(() => undefined, {
    get: () => part,
    apply: () => {
      throw new Error('a route that is only described was called');
    },
  });
  // Whatever is asked of it answers with itself, so it has every member T has; calling one is the error above.
  return part as T;
}
