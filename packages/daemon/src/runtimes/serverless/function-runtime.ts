import type { PluginRuntime, RuntimeSession, SessionContext, SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import { FunctionCall } from './function-call.ts';
import type { FunctionRuntimeOptions } from './function-options.ts';
import { type FunctionTarget, functionTarget } from './function-target.ts';

/** A plugin version behind the URL of a function. Each session is one HTTP exchange. It holds nothing between them. */
export class FunctionRuntime implements PluginRuntime {
  readonly type = 'serverless';
  readonly identifier: string;
  readonly pluginId: string;
  readonly url: string;
  readonly maxRequestBytes: number;
  readonly #options: FunctionRuntimeOptions;
  readonly #target: FunctionTarget;

  constructor(options: FunctionRuntimeOptions) {
    this.identifier = options.identifier;
    this.pluginId = options.pluginId;
    this.url = options.url;
    this.maxRequestBytes = options.maxRequestBytes;
    this.#options = options;
    this.#target = functionTarget(options.url);
  }

  open(sessionId: string, sink: SessionSink, context: SessionContext): RuntimeSession {
    return new FunctionCall({ target: this.#target, options: this.#options, sessionId, sink, context });
  }
}
