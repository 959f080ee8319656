/**
 * Made from docs/openapi.json by `npm run docs`; change the route tables of the daemon, not this.
 */
// biome-ignore-all format: generated
// biome-ignore-all assist: generated

export interface AuditEvent {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at?: string;
  readonly action: string;
  readonly tenant_id: string;
  readonly subject: string;
  readonly address: string;
  readonly credential: string;
  readonly outcome: string;
  readonly detail?: string;
  readonly trace_id?: string;
}

export interface BundledPackage {
  /** author/name:version@checksum */
  readonly unique_identifier: string;
  readonly manifest: Declaration;
}

export interface CheckPollingAnswer {
  readonly status: "running" | "succeeded" | "failed";
  readonly plugin_state?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: string;
  readonly next_check_after_seconds?: number;
  readonly expires_after_seconds?: number;
  readonly max_attempts?: number;
}

export interface CollectedFiles {
  readonly name: string;
  readonly bytes: number;
  readonly removed: boolean;
}

export interface DatasourceOnlineDriveBrowseFilesRequest {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly datasource: string;
  readonly request: OnlineDriveBrowseFilesRequest;
}

export interface DatasourceOnlineDriveDownloadFileRequest {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly datasource: string;
  readonly request: OnlineDriveDownloadFileRequest;
}

/** The manifest of a plugin, merged with the files it names. */
export interface Declaration {
  readonly version: string;
  readonly type?: string;
  readonly author: string;
  readonly name: string;
  readonly label: {
    readonly en_US: string;
    readonly ja_JP?: string;
    readonly zh_Hans?: string;
    readonly pt_BR?: string;
  };
  readonly description: {
    readonly en_US: string;
    readonly ja_JP?: string;
    readonly zh_Hans?: string;
    readonly pt_BR?: string;
  };
  readonly icon: string;
  readonly icon_dark?: string;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly plugins: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly tags: readonly string[];
  readonly created_at?: string;
  readonly verified?: boolean;
  readonly endpoint?: Readonly<Record<string, unknown>>;
  readonly model?: Readonly<Record<string, unknown>>;
  readonly tool?: {
    readonly identity: {
      readonly author?: string;
      readonly name: string;
      readonly label: {
        readonly en_US: string;
        readonly ja_JP?: string;
        readonly zh_Hans?: string;
        readonly pt_BR?: string;
      };
    };
    readonly tools: ReadonlyArray<{
      readonly identity: {
        readonly author?: string;
        readonly name: string;
        readonly label: {
          readonly en_US: string;
          readonly ja_JP?: string;
          readonly zh_Hans?: string;
          readonly pt_BR?: string;
        };
      };
    }>;
  };
  readonly agent_strategy?: Readonly<Record<string, unknown>>;
  readonly datasource?: Readonly<Record<string, unknown>>;
  readonly trigger?: Readonly<Record<string, unknown>>;
}

export interface DescribedPackage {
  /** author/name:version@checksum */
  readonly unique_identifier: string;
  readonly manifest: Declaration;
  readonly verification: {
    readonly authorized_category: "langgenius" | "partner" | "community";
  } | null;
}

export interface DispatchTriggerEventAnswer {
  readonly user_id: string;
  readonly events: readonly string[] | null;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly response: string;
}

export interface Endpoint {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly name: string;
  /** The webhook is /e/{hook_id}/ */
  readonly hook_id: string;
  readonly tenant_id: string;
  readonly user_id: string;
  readonly plugin_id: string;
  /** Always 2050-01-01T00:00:00Z; never evaluated */
  readonly expired_at: string;
  readonly enabled: boolean;
  /** Decrypted; secrets masked */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly declaration: {
    readonly settings: ReadonlyArray<Readonly<Record<string, unknown>>>;
    readonly endpoints: ReadonlyArray<{
      readonly path?: string;
      readonly method?: string;
      readonly hidden?: boolean;
    }>;
  };
  /** Only where something is wrong: why the secrets are missing from `settings` (they cannot be decrypted) or everything is (the plugin is gone, or has no endpoints any more), and what to do. Such an endpoint can be updated with secrets entered anew, and removed */
  readonly problem?: string;
}

export interface EnvironmentCollection {
  readonly directories: readonly CollectedFiles[];
  readonly environments: readonly CollectedFiles[];
  readonly bytecode_bytes: number;
}

/** What happened. For `PluginInvokeError` the message is again JSON text: a PluginError. */
export interface ErrorDetails {
  /** The cause; then what to do about it, where something can be done. */
  readonly message: string;
  readonly error_type: "PluginDaemonInternalServerError" | "PluginDaemonBadRequestError" | "PluginDaemonNotFoundError" | "PluginUniqueIdentifierError" | "PluginNotFoundError" | "PluginDaemonUnauthorizedError" | "PluginPermissionDeniedError" | "PluginInvokeError";
  /** Figures of the message, such as `limit_bytes` and `setting`. */
  readonly args: Readonly<Record<string, unknown>> | null;
}

/** Every error. `message` is JSON text: ErrorDetails. */
export interface ErrorEnvelope {
  readonly code: -500 | -400 | -404 | -401 | -403;
  readonly message: string;
  readonly data: null;
}

export interface FetchParameterOptionsAnswer {
  readonly options: ReadonlyArray<{
    readonly value: string;
    readonly label: {
      readonly en_US: string;
      readonly ja_JP?: string;
      readonly zh_Hans?: string;
      readonly pt_BR?: string;
    };
    readonly icon: string;
  }> | null;
}

export interface FoundInstallation {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly tenant_id: string;
  readonly plugin_id: string;
  /** author/name:version@checksum */
  readonly plugin_unique_identifier: string;
  readonly runtime_type: "local" | "remote" | "serverless";
  readonly endpoints_setups: number;
  readonly endpoints_active: number;
  readonly source: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly checksum: string;
  readonly declaration: Declaration;
}

export interface GetAiModelSchemasAnswer {
  readonly model_schema: unknown;
}

export interface GetAuthorizationUrlAnswer {
  readonly authorization_url: string;
}

export interface GetCredentialsAnswer {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly credentials: Readonly<Record<string, unknown>> | null;
  readonly expires_at: number;
}

export interface GetLlmNumTokensAnswer {
  readonly num_tokens: number;
}

export interface GetTextEmbeddingNumTokensAnswer {
  readonly num_tokens: readonly number[];
}

export interface GetToolRuntimeParametersAnswer {
  readonly parameters: ReadonlyArray<{
    readonly name: string;
    readonly label: {
      readonly en_US: string;
      readonly ja_JP?: string;
      readonly zh_Hans?: string;
      readonly pt_BR?: string;
    };
    readonly human_description: {
      readonly en_US: string;
      readonly ja_JP?: string;
      readonly zh_Hans?: string;
      readonly pt_BR?: string;
    };
    readonly type: string;
    readonly scope: string | null;
    readonly form: string;
    readonly llm_description: string;
    readonly required: boolean;
    readonly auto_generate: {
      readonly type: string;
    } | null;
    readonly template: {
      readonly enabled: boolean;
    } | null;
    readonly default: unknown;
    readonly min: number | null;
    readonly max: number | null;
    readonly multiple: boolean;
    readonly precision: number | null;
    readonly options: ReadonlyArray<{
      readonly value: string;
      readonly label: {
        readonly en_US: string;
        readonly ja_JP?: string;
        readonly zh_Hans?: string;
        readonly pt_BR?: string;
      };
      readonly icon: string;
    }> | null;
  }> | null;
}

export interface GetTtsModelVoicesAnswer {
  readonly voices: ReadonlyArray<{
    readonly name: string;
    readonly value: string;
  }>;
}

export interface Health {
  readonly status: "ok";
  readonly pool_status: {
    readonly free: number;
    readonly busy: number;
    readonly total: number;
  };
  readonly version: string;
  readonly build_time: string;
  readonly platform: string;
  readonly active_requests: number;
  readonly active_dispatch_requests: number;
}

export interface InstallStarted {
  readonly all_installed: boolean;
  /** Empty when nothing is left to do. */
  readonly task_id: string;
}

export interface InstallTask {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: "pending" | "running" | "success" | "failed";
  readonly tenant_id: string;
  readonly total_plugins: number;
  readonly completed_plugins: number;
  readonly plugins: ReadonlyArray<{
    /** author/name:version@checksum */
    readonly plugin_unique_identifier: string;
    readonly labels: {
      readonly en_US: string;
      readonly ja_JP?: string;
      readonly zh_Hans?: string;
      readonly pt_BR?: string;
    };
    readonly icon: string;
    readonly icon_dark: string;
    readonly plugin_id: string;
    readonly status: "pending" | "running" | "success" | "failed";
    /** The step it is in, or why it failed. */
    readonly message: string;
    readonly source: string;
  }>;
}

export interface Installation {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly tenant_id: string;
  readonly plugin_id: string;
  /** author/name:version@checksum */
  readonly plugin_unique_identifier: string;
  readonly runtime_type: "local" | "remote" | "serverless";
  readonly endpoints_setups: number;
  readonly endpoints_active: number;
  readonly source: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly checksum: string;
  readonly declaration: Declaration;
  readonly name: string;
  readonly installation_id: string;
}

export interface InvokeAgentStrategyAnswer {
  readonly type: "text" | "file" | "blob" | "blob_chunk" | "json" | "link" | "image" | "image_link" | "binary_link" | "variable" | "log" | "retriever_resources";
  /** Its members depend on the type. */
  readonly message: {
    readonly text?: string;
    readonly json_object?: unknown;
    readonly variable_name?: string;
    readonly variable_value?: unknown;
    readonly stream?: boolean;
    /** base64 */
    readonly blob?: string;
    readonly id?: string;
    readonly sequence?: number;
    readonly total_length?: number;
    readonly end?: boolean;
    readonly label?: string;
    readonly parent_id?: string | null;
    readonly status?: string;
    readonly data?: unknown;
    readonly metadata?: unknown;
    readonly error?: string | null;
    readonly retriever_resources?: unknown;
    readonly context?: string | null;
  } | null;
  readonly meta: {
    readonly mime_type?: string;
    readonly filename?: string | null;
  } | null;
}

export interface InvokeLlmAnswer {
  readonly model: string;
  readonly system_fingerprint: string;
  readonly delta: {
    readonly index: number;
    readonly message: {
      readonly role: "system" | "user" | "assistant" | "tool" | "developer";
      readonly content: string | ReadonlyArray<{
        readonly type: "text" | "image" | "audio" | "video" | "document";
      }>;
      readonly name: string;
      readonly tool_calls: ReadonlyArray<{
        readonly id: string;
        readonly type: string;
        readonly function: {
          readonly name: string;
          readonly arguments: string;
        };
      }> | null;
      readonly tool_call_id: string;
    };
    readonly usage: {
      readonly prompt_tokens: number;
      /** An exact decimal. */
      readonly prompt_unit_price: string;
      /** An exact decimal. */
      readonly prompt_price_unit: string;
      /** An exact decimal. */
      readonly prompt_price: string;
      readonly completion_tokens: number;
      /** An exact decimal. */
      readonly completion_unit_price: string;
      /** An exact decimal. */
      readonly completion_price_unit: string;
      /** An exact decimal. */
      readonly completion_price: string;
      readonly total_tokens: number;
      /** An exact decimal. */
      readonly total_price: string;
      readonly currency: string;
      readonly latency: number;
    } | null;
    readonly finish_reason: string | null;
  };
}

export interface InvokeModerationAnswer {
  readonly result: boolean;
}

export interface InvokeMultimodalEmbeddingAnswer {
  readonly model: string;
  readonly embeddings: ReadonlyArray<readonly number[]>;
  readonly usage: {
    readonly tokens: number;
    readonly total_tokens: number;
    /** An exact decimal. */
    readonly unit_price: string;
    /** An exact decimal. */
    readonly price_unit: string;
    /** An exact decimal. */
    readonly total_price: string;
    readonly currency: string;
    readonly latency: number;
  };
}

export interface InvokeMultimodalRerankAnswer {
  readonly model: string;
  readonly docs: ReadonlyArray<{
    readonly index: number;
    readonly text: string;
    readonly score: number;
  }>;
}

export interface InvokeOnlineDocumentDatasourceGetPageContentAnswer {
  readonly type: "text" | "file" | "blob" | "blob_chunk" | "json" | "link" | "image" | "image_link" | "binary_link" | "variable" | "log" | "retriever_resources";
  /** Its members depend on the type. */
  readonly message: {
    readonly text?: string;
    readonly json_object?: unknown;
    readonly variable_name?: string;
    readonly variable_value?: unknown;
    readonly stream?: boolean;
    /** base64 */
    readonly blob?: string;
    readonly id?: string;
    readonly sequence?: number;
    readonly total_length?: number;
    readonly end?: boolean;
    readonly label?: string;
    readonly parent_id?: string | null;
    readonly status?: string;
    readonly data?: unknown;
    readonly metadata?: unknown;
    readonly error?: string | null;
    readonly retriever_resources?: unknown;
    readonly context?: string | null;
  } | null;
  readonly meta: {
    readonly mime_type?: string;
    readonly filename?: string | null;
  } | null;
}

export interface InvokeOnlineDocumentDatasourceGetPagesAnswer {
  readonly result: ReadonlyArray<Readonly<Record<string, unknown>>> | null;
}

export interface InvokeOnlineDriveBrowseFilesAnswer {
  readonly result: ReadonlyArray<{
    readonly bucket: string | null;
    readonly files: ReadonlyArray<{
      readonly id: string;
      readonly name: string;
      readonly size: number;
      readonly type: string;
    }> | null;
    readonly is_truncated: boolean;
    readonly next_page_parameters: Readonly<Record<string, unknown>> | null;
  }>;
}

export interface InvokeOnlineDriveDownloadFileAnswer {
  readonly type: "text" | "file" | "blob" | "blob_chunk" | "json" | "link" | "image" | "image_link" | "binary_link" | "variable" | "log" | "retriever_resources";
  /** Its members depend on the type. */
  readonly message: {
    readonly text?: string;
    readonly json_object?: unknown;
    readonly variable_name?: string;
    readonly variable_value?: unknown;
    readonly stream?: boolean;
    /** base64 */
    readonly blob?: string;
    readonly id?: string;
    readonly sequence?: number;
    readonly total_length?: number;
    readonly end?: boolean;
    readonly label?: string;
    readonly parent_id?: string | null;
    readonly status?: string;
    readonly data?: unknown;
    readonly metadata?: unknown;
    readonly error?: string | null;
    readonly retriever_resources?: unknown;
    readonly context?: string | null;
  } | null;
  readonly meta: {
    readonly mime_type?: string;
    readonly filename?: string | null;
  } | null;
}

export interface InvokeRerankAnswer {
  readonly model: string;
  readonly docs: ReadonlyArray<{
    readonly index: number;
    readonly text: string;
    readonly score: number;
  }>;
}

export interface InvokeSpeech2textAnswer {
  readonly result: string;
}

export interface InvokeTextEmbeddingAnswer {
  readonly model: string;
  readonly embeddings: ReadonlyArray<readonly number[]>;
  readonly usage: {
    readonly tokens: number;
    readonly total_tokens: number;
    /** An exact decimal. */
    readonly unit_price: string;
    /** An exact decimal. */
    readonly price_unit: string;
    /** An exact decimal. */
    readonly total_price: string;
    readonly currency: string;
    readonly latency: number;
  };
}

export interface InvokeToolAnswer {
  readonly type: "text" | "file" | "blob" | "blob_chunk" | "json" | "link" | "image" | "image_link" | "binary_link" | "variable" | "log" | "retriever_resources";
  /** Its members depend on the type. */
  readonly message: {
    readonly text?: string;
    readonly json_object?: unknown;
    readonly variable_name?: string;
    readonly variable_value?: unknown;
    readonly stream?: boolean;
    /** base64 */
    readonly blob?: string;
    readonly id?: string;
    readonly sequence?: number;
    readonly total_length?: number;
    readonly end?: boolean;
    readonly label?: string;
    readonly parent_id?: string | null;
    readonly status?: string;
    readonly data?: unknown;
    readonly metadata?: unknown;
    readonly error?: string | null;
    readonly retriever_resources?: unknown;
    readonly context?: string | null;
  } | null;
  readonly meta: {
    readonly mime_type?: string;
    readonly filename?: string | null;
  } | null;
}

export interface InvokeTriggerEventAnswer {
  readonly variables: Readonly<Record<string, unknown>> | null;
  readonly cancelled: boolean;
}

export interface InvokeTtsAnswer {
  readonly result: string;
  readonly mime_type?: string;
}

export interface InvokeWebsiteDatasourceGetCrawlAnswer {
  readonly result: Readonly<Record<string, unknown>> | null;
}

export interface ModelBinding {
  readonly provider: string;
  readonly installation_id: string;
  readonly plugin_id: string;
  /** author/name:version@checksum */
  readonly plugin_unique_identifier: string;
  readonly runtime_type: "local" | "remote" | "serverless";
  readonly source: string;
  readonly version: string;
  readonly verified: boolean;
}

export interface MultimodalContent {
  readonly content: string;
  readonly content_type: "text" | "image";
}

export interface OnlineDriveBrowseFilesRequest {
  readonly bucket?: string | null;
  readonly prefix?: string;
  readonly max_keys: number;
  readonly next_page_parameters?: Readonly<Record<string, unknown>>;
}

export interface OnlineDriveDownloadFileRequest {
  readonly bucket?: string | null;
  readonly id: string;
}

export interface OpenCall {
  /** Also in the header `X-Plugin-Session-Id` of its answer. */
  readonly id: string;
  readonly plugin_unique_identifier: string;
  readonly action: string;
  readonly user_id: string;
  /** Since its start. */
  readonly seconds: number;
  /** The node that serves it; NODE_NAME. */
  readonly node: string;
}

export interface Parent {
  /** The version of the SDK that it has imported. */
  readonly sdk: string;
  readonly state: "waits" | "imports" | "ready" | "failed";
  readonly pid?: number;
  /** Processes of plugins that were forked from it and run. */
  readonly plugins?: number;
  /** Why it could not be started. */
  readonly reason?: string;
}

/** What a plugin failed with: the message of ErrorDetails when its type is `PluginInvokeError`. */
export interface PluginError {
  /** The name of the plugin's exception, such as `InvokeRateLimitError`; `unmarshal_error` when its answer could not be read. */
  readonly error_type: string;
  readonly message: string;
  /** `traceback`, and `description` of models. */
  readonly args?: Readonly<Record<string, unknown>> | null;
}

export interface PluginLogLine {
  readonly time: string;
  readonly level: "debug" | "info" | "warn" | "error";
  /** `log`, `stdout`, `stderr`: the plugin's own words; `daemon`: what happened to it */
  readonly source: string;
  /** author/name:version@checksum */
  readonly plugin_unique_identifier: string;
  readonly message: string;
  /** Where it was said: NODE_NAME, with the number of the worker where there are several. */
  readonly node: string;
}

export interface PluginPolicy {
  readonly min?: number;
  readonly max?: number;
  readonly idle_seconds?: number;
  readonly calls_target?: number;
  readonly calls_max?: number;
  readonly queue_max?: number;
  readonly calls_per_minute?: number;
  readonly breaker_failures?: number;
  readonly breaker_open_seconds?: number;
}

export interface PluginPolicyRow {
  readonly plugin_id: string;
  readonly from: "api" | "file";
  readonly policy: PluginPolicy;
}

export interface PluginProcesses {
  readonly plugin_unique_identifier: string;
  readonly state: "stopped" | "asleep" | "starting" | "running" | "waiting";
  readonly instances: number;
  readonly open_calls: number;
  readonly waiting_calls: number;
  readonly problem: string | null;
  /** How it was started last: `forked`, `templated`, or `plain` with the reason, as at `/readyz`; null: not yet, or by another version of the daemon. */
  readonly start: string | null;
  /** NODE_NAME. */
  readonly node: string;
}

export interface PromptMessage {
  readonly role: "system" | "user" | "assistant" | "tool" | "developer";
  /** A text, a list of parts, or null. */
  readonly content?: unknown;
}

export interface PromptMessageTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface Provider {
  readonly id: string;
  readonly created_at?: string;
  readonly updated_at?: string;
  readonly tenant_id: string;
  readonly provider: string;
  /** author/name:version@checksum */
  readonly plugin_unique_identifier: string;
  readonly plugin_id: string;
  readonly declaration: Readonly<Record<string, unknown>>;
  /** The manifest's meta; agent strategies only. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface Readiness {
  readonly status: "ok" | "not ready";
  /** What is missing: by plugin, or in short for those without a key. */
  readonly problems: Readonly<Record<string, string>>;
  /** What holds each plugin in that was started, for those who may see details. */
  readonly isolation?: Readonly<Record<string, "uid+namespace" | "uid" | "namespace" | "none" | "unsupervised">>;
  /** How each plugin was started last: `forked` from a process that has imported the SDK, `templated` from one that has imported the plugin, or `plain` with the reason; after `forked` perhaps why it has no template. For those who may see details. */
  readonly starts?: Readonly<Record<string, string>>;
  /** The processes that fork plugins, and those that could not be started lately; for those who may see details. */
  readonly parents?: readonly Parent[];
}

export interface RefreshCredentialsAnswer {
  readonly credentials: Readonly<Record<string, unknown>> | null;
  readonly expires_at: number;
}

export interface RefreshTriggerAnswer {
  readonly subscription: Readonly<Record<string, unknown>> | null;
}

export interface ReinstallProgress {
  readonly event: "info" | "done" | "error";
  readonly data: string;
}

export interface RequestCheckPolling {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly model_type: "llm";
  readonly plugin_state: Readonly<Record<string, unknown>>;
}

export interface RequestDatasourceGetOnlineDocumentPages {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly datasource: string;
  readonly datasource_parameters: Readonly<Record<string, unknown>>;
}

export interface RequestDatasourceGetWebsiteCrawl {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly datasource: string;
  readonly datasource_parameters: Readonly<Record<string, unknown>>;
}

export interface RequestDynamicParameterSelect {
  readonly credentials: Readonly<Record<string, unknown>>;
  readonly credential_type?: string;
  readonly provider: string;
  readonly provider_action: string;
  readonly parameter: string;
}

export interface RequestGetAIModelSchema {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly model_type: "llm" | "text-embedding" | "rerank" | "speech2text" | "moderation" | "tts" | "text2img" | "multimodal-embedding" | "multimodal-rerank";
}

export interface RequestGetLLMNumTokens {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly model_type: "llm";
  readonly prompt_messages?: readonly PromptMessage[];
  readonly tools?: readonly PromptMessageTool[];
}

export interface RequestGetTTSModelVoices {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly model_type: "tts";
  readonly language?: string;
}

export interface RequestGetTextEmbeddingNumTokens {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly model_type: "text-embedding";
  readonly texts: readonly string[];
}

export interface RequestGetToolRuntimeParameters {
  readonly provider: string;
  readonly tool: string;
  readonly credentials?: Readonly<Record<string, unknown>>;
}

export interface RequestInvokeAgentStrategy {
  readonly agent_strategy_provider: string;
  readonly agent_strategy: string;
  readonly agent_strategy_params?: Readonly<Record<string, unknown>>;
}

export interface RequestInvokeLLM {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly model_parameters?: Readonly<Record<string, unknown>>;
  readonly prompt_messages?: readonly unknown[];
  readonly tools?: readonly PromptMessageTool[];
  readonly tool_choice?: ToolChoice | null;
  readonly stop?: readonly string[];
  readonly json_schema?: Readonly<Record<string, unknown>>;
  readonly stream?: boolean;
  readonly model_type: "llm";
}

export interface RequestInvokeModeration {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly text: string;
  readonly model_type: "moderation";
}

export interface RequestInvokeMultimodalEmbedding {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly documents: readonly MultimodalContent[];
  readonly input_type: "document" | "query";
  readonly model_type: string;
}

export interface RequestInvokeMultimodalRerank {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly query: MultimodalContent;
  readonly docs: readonly MultimodalContent[];
  readonly score_threshold?: number;
  readonly top_n?: number;
  readonly model_type: string;
}

export interface RequestInvokeOnlineDocumentDatasourceGetContent {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly datasource: string;
  readonly page: Readonly<Record<string, unknown>>;
}

export interface RequestInvokeRerank {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly query: string;
  readonly docs: readonly string[];
  readonly score_threshold?: number;
  readonly top_n?: number;
  readonly model_type: "rerank";
}

export interface RequestInvokeSpeech2Text {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  /** Audio, hex-encoded. */
  readonly file: string;
  readonly model_type: "speech2text";
}

export interface RequestInvokeTTS {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly content_text: string;
  readonly voice: string;
  readonly tenant_id: string;
  readonly model_type: "tts";
}

export interface RequestInvokeTextEmbedding {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly texts: readonly string[];
  /** `document` or `query`. */
  readonly input_type: string;
  readonly model_type: "text-embedding";
}

export interface RequestInvokeTool {
  readonly provider: string;
  readonly tool: string;
  /** `{}` where there are none. */
  readonly tool_parameters?: Readonly<Record<string, unknown>>;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
}

export interface RequestOAuthGetAuthorizationURL {
  readonly provider: string;
  readonly redirect_uri: string;
  readonly system_credentials?: Readonly<Record<string, unknown>>;
}

export interface RequestOAuthGetCredentials {
  readonly provider: string;
  readonly redirect_uri: string;
  readonly system_credentials?: Readonly<Record<string, unknown>>;
  /** A raw HTTP/1.1 request, hex-encoded. */
  readonly raw_http_request: string;
}

export interface RequestOAuthRefreshCredentials {
  readonly provider: string;
  readonly redirect_uri: string;
  readonly system_credentials?: Readonly<Record<string, unknown>>;
  readonly credentials: Readonly<Record<string, unknown>>;
}

export interface RequestStartPolling {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly model_parameters?: Readonly<Record<string, unknown>>;
  readonly prompt_messages?: readonly unknown[];
  readonly tools?: readonly PromptMessageTool[];
  readonly tool_choice?: ToolChoice | null;
  readonly stop?: readonly string[];
  readonly json_schema?: Readonly<Record<string, unknown>>;
  readonly stream?: boolean;
  readonly model_type: "llm";
}

export interface RequestValidateDatasourceCredentials {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
}

export interface RequestValidateModelCredentials {
  /** Name of the provider inside the plugin. */
  readonly provider: string;
  readonly model: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly model_type: "llm" | "text-embedding" | "rerank" | "speech2text" | "moderation" | "tts" | "text2img" | "multimodal-embedding" | "multimodal-rerank";
}

export interface RequestValidateProviderCredentials {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
}

export interface RequestValidateToolCredentials {
  readonly provider: string;
  readonly credentials?: Readonly<Record<string, unknown>>;
}

export interface SharedEnvironment {
  readonly name: string;
  readonly bytes: number;
  readonly plugins: number;
  readonly sdk: string | null;
  readonly python: string;
}

export interface StartPollingAnswer {
  readonly status: "running" | "succeeded" | "failed";
  readonly plugin_state?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: string;
  readonly next_check_after_seconds?: number;
  readonly expires_after_seconds?: number;
  readonly max_attempts?: number;
}

export interface SubscribeTriggerAnswer {
  readonly subscription: Readonly<Record<string, unknown>> | null;
}

export interface ToolChoice {
  readonly mode: "auto" | "none" | "required" | "tool";
  readonly name?: string;
}

export interface TriggerDispatchEventRequest {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly subscription: Readonly<Record<string, unknown>>;
  /** A raw HTTP/1.1 request, hex-encoded. */
  readonly raw_http_request: string;
}

export interface TriggerInvokeEventRequest {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly event: string;
  /** A raw HTTP/1.1 request, hex-encoded. */
  readonly raw_http_request: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly subscription: Readonly<Record<string, unknown>>;
  readonly payload?: Readonly<Record<string, unknown>>;
}

export interface TriggerRefreshRequest {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly subscription: Readonly<Record<string, unknown>>;
}

export interface TriggerSubscribeRequest {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface TriggerUnsubscribeRequest {
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
  readonly provider: string;
  readonly subscription: Readonly<Record<string, unknown>>;
}

export interface TriggerValidateProviderCredentialsRequest {
  readonly provider: string;
  /** Decrypted credentials, as the plugin expects them; `{}` where it needs none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** `api-key`, `oauth2` or `unauthorized`. */
  readonly credential_type?: string;
}

export interface UnsubscribeTriggerAnswer {
  readonly subscription: Readonly<Record<string, unknown>> | null;
}

export interface ValidateDatasourceCredentialsAnswer {
  readonly result: boolean;
}

export interface ValidateModelCredentialsAnswer {
  readonly result: boolean;
  readonly credentials: Readonly<Record<string, unknown>> | null;
}

export interface ValidateProviderCredentialsAnswer {
  readonly result: boolean;
  readonly credentials: Readonly<Record<string, unknown>> | null;
}

export interface ValidateToolCredentialsAnswer {
  readonly result: boolean;
}

export interface ValidateTriggerCredentialsAnswer {
  readonly result: boolean;
}

export interface WebhookFailure {
  readonly error_id: string;
  readonly time: string;
  readonly endpoint_id: string;
  /** author/name:version@checksum */
  readonly plugin_unique_identifier: string;
  /** What went wrong, with what the plugin said; 4,096 characters at most. */
  readonly error: string;
}

/** What each operation takes and gives. */
export interface Operations {
  /** Uploads a package (.difypkg): it is checked and stored, not installed. `POST /plugin/{tenant_id}/management/install/upload/package` */
  readonly uploadPackage: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        /** The package. */
        readonly dify_pkg: Uint8Array;
        /** `true` refuses a package without a valid signature. */
        readonly verify_signature?: "true" | "false";
      };
    };
    readonly data: DescribedPackage;
  };
  /** Uploads a bundle (.difybndl): its packages are checked and stored, its other dependencies reported. `POST /plugin/{tenant_id}/management/install/upload/bundle` */
  readonly uploadBundle: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        /** The bundle. */
        readonly dify_bundle: Uint8Array;
        /** `true` refuses packages without a valid signature. */
        readonly verify_signature?: "true" | "false";
      };
    };
    readonly data: ReadonlyArray<{
      readonly type: "github";
      readonly value: {
        readonly repo_address: string;
        readonly repo: string;
        readonly release: string;
        readonly packages: string;
      };
    } | {
      readonly type: "marketplace";
      readonly value: {
        readonly organization: string;
        readonly plugin: string;
        readonly version: string;
      };
    } | {
      readonly type: "package";
      readonly value: BundledPackage;
    }>;
  };
  /** Installs uploaded packages for a tenant; what is not there yet becomes a task to watch. `POST /plugin/{tenant_id}/management/install/identifiers` */
  readonly installPlugins: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly plugin_unique_identifiers: readonly string[];
        readonly source: "github" | "marketplace" | "package" | "remote";
        /** One for each identifier; null is an empty object. */
        readonly metas?: ReadonlyArray<Readonly<Record<string, unknown>>>;
      };
    };
    readonly data: InstallStarted;
  };
  /** Switches a tenant's plugin to another version, newer or older. `POST /plugin/{tenant_id}/management/install/upgrade` */
  readonly upgradePlugin: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        /** `author/name:version@checksum` */
        readonly original_plugin_unique_identifier: string;
        /** `author/name:version@checksum` */
        readonly new_plugin_unique_identifier: string;
        readonly source: "github" | "marketplace" | "package" | "remote";
        readonly meta?: Readonly<Record<string, unknown>>;
      };
    };
    readonly data: InstallStarted;
  };
  /** Switches a tenant's plugin back to the version before the last switch; once more leads forward again. `POST /plugin/{tenant_id}/management/install/rollback` */
  readonly rollBackPlugin: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        /** `author/name` */
        readonly plugin_id: string;
      };
    };
    readonly data: InstallStarted;
  };
  /** Uninstalls a plugin; true also when there is none with this id. `POST /plugin/{tenant_id}/management/uninstall` */
  readonly uninstallPlugin: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly plugin_installation_id: string;
      };
    };
    readonly data: true;
  };
  /** The install tasks of a tenant, newest first. `GET /plugin/{tenant_id}/management/install/tasks` */
  readonly listInstallTasks: {
    readonly kind: 'enveloped';
    readonly input: {
      /** Page, from 1. */
      readonly page: number;
      /** Rows of a page. */
      readonly page_size: number;
    };
    readonly data: readonly InstallTask[];
  };
  /** One install task with the step each plugin is in. `GET /plugin/{tenant_id}/management/install/tasks/{id}` */
  readonly getInstallTask: {
    readonly kind: 'enveloped';
    readonly input: {
      /** The task. */
      readonly id: string;
    };
    readonly data: InstallTask;
  };
  /** Deletes all install tasks of a tenant and stops what they were doing. `POST /plugin/{tenant_id}/management/install/tasks/delete_all` */
  readonly deleteAllInstallTasks: {
    readonly kind: 'enveloped';
    readonly input: Readonly<Record<never, never>>;
    readonly data: true;
  };
  /** Deletes an install task and stops what it was doing. `POST /plugin/{tenant_id}/management/install/tasks/{id}/delete` */
  readonly deleteInstallTask: {
    readonly kind: 'enveloped';
    readonly input: {
      /** The task. */
      readonly id: string;
    };
    readonly data: true;
  };
  /** Deletes one plugin from an install task and stops its installation. `POST /plugin/{tenant_id}/management/install/tasks/{id}/delete/{identifier}` */
  readonly deleteInstallTaskItem: {
    readonly kind: 'enveloped';
    readonly input: {
      /** The task. */
      readonly id: string;
      /** `author/name:version@checksum`; slashes may stand as they are. */
      readonly identifier: string;
    };
    readonly data: true;
  };
  /** Decodes a stored package again: its declaration with the icon paths as written, and whom it is signed by. `GET /plugin/{tenant_id}/management/decode/from_identifier` */
  readonly decodePackage: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name:version@checksum` */
      readonly plugin_unique_identifier: string;
    };
    readonly data: DescribedPackage;
  };
  /** The same as decode/from_identifier, for the package named in X-Plugin-Unique-Identifier. `GET /v2/invoke/extract` */
  readonly extractPackage: {
    readonly kind: 'enveloped';
    readonly input: {
      /** The stored package, `author/name:version@checksum`. */
      readonly pluginUniqueIdentifier: string;
    };
    readonly data: DescribedPackage;
  };
  /** The stored declaration of an uploaded or connected plugin. `GET /plugin/{tenant_id}/management/fetch/manifest` */
  readonly getManifest: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name:version@checksum` */
      readonly plugin_unique_identifier: string;
    };
    readonly data: Declaration;
  };
  /** Whether any tenant has this version installed. `GET /plugin/{tenant_id}/management/fetch/identifier` */
  readonly pluginExists: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name:version@checksum` */
      readonly plugin_unique_identifier: string;
    };
    readonly data: boolean;
  };
  /** The readme of a package in a language, else in English, else in the first there is. `GET /plugin/{tenant_id}/management/fetch/readme` */
  readonly getReadme: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name:version@checksum` */
      readonly plugin_unique_identifier: string;
      /** Preferred language, such as `zh_Hans`; otherwise English. */
      readonly language?: string;
    };
    readonly data: {
      readonly content: string;
      readonly language: string;
    };
  };
  /** The installed plugins of a tenant with their declarations, newest first. `GET /plugin/{tenant_id}/management/list` */
  readonly listInstallations: {
    readonly kind: 'enveloped';
    readonly input: {
      /** Page, from 1. */
      readonly page: number;
      /** Rows of a page. */
      readonly page_size: number;
    };
    readonly data: {
      readonly list: readonly Installation[];
      readonly total: number;
    };
  };
  /** The plugin ids of a category, newest first. `GET /plugin/{tenant_id}/management/installation/ids` */
  readonly listPluginIdsOfCategory: {
    readonly kind: 'enveloped';
    readonly input: {
      /** As in the manifest: `tool`, `model`, `extension`, … */
      readonly category: string;
    };
    readonly data: {
      readonly plugin_ids: readonly string[];
    };
  };
  /** The installed plugins of one category, filtered by text and tags, newest first. `GET /plugin/{tenant_id}/management/{category}/list` */
  readonly listInstallationsOfCategory: {
    readonly kind: 'enveloped';
    readonly input: {
      /** What the plugin is. */
      readonly category: "tool" | "model" | "extension" | "agent-strategy" | "datasource" | "trigger";
      /** Page, from 1. */
      readonly page: number;
      /** Rows of a page. */
      readonly page_size: number;
      /** Part of id, name, label or description. */
      readonly query?: string;
      /** Any of these tags. */
      readonly tags?: ReadonlyArray<"search" | "image" | "videos" | "weather" | "finance" | "design" | "travel" | "social" | "news" | "medical" | "productivity" | "education" | "business" | "entertainment" | "utilities" | "agent" | "rag" | "other" | "trigger">;
      /** Language that `query` is searched in. */
      readonly language?: "en_US" | "zh_Hans" | "ja_JP" | "pt_BR";
    };
    readonly data: {
      readonly list: readonly Installation[];
      readonly has_more: boolean;
    };
  };
  /** The installations of the given plugin ids, with their declarations, in the order of installation. `POST /plugin/{tenant_id}/management/installation/fetch/batch` */
  readonly findInstallations: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly plugin_ids: readonly string[];
      };
    };
    readonly data: readonly FoundInstallation[];
  };
  /** Those of the given versions that the tenant lacks or has in another version. `POST /plugin/{tenant_id}/management/installation/missing` */
  readonly listMissingPlugins: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly plugin_unique_identifiers: readonly string[];
      };
    };
    readonly data: ReadonlyArray<{
      /** author/name:version@checksum */
      readonly plugin_unique_identifier: string;
      readonly current_identifier: string;
    }>;
  };
  /** The model providers of a tenant and the installations behind them. `GET /plugin/{tenant_id}/management/models/bindings` */
  readonly listModelBindings: {
    readonly kind: 'enveloped';
    readonly input: Readonly<Record<never, never>>;
    readonly data: readonly ModelBinding[];
  };
  /** The tool providers of a tenant, newest first. `GET /plugin/{tenant_id}/management/tools` */
  readonly listToolProviders: {
    readonly kind: 'enveloped';
    readonly input: {
      /** Page, from 1. */
      readonly page: number;
      /** Rows of a page. */
      readonly page_size: number;
    };
    readonly data: readonly Provider[];
  };
  /** One tool provider. `GET /plugin/{tenant_id}/management/tool` */
  readonly getToolProvider: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name` */
      readonly plugin_id: string;
      /** Name of the provider inside the plugin. */
      readonly provider: string;
    };
    readonly data: Provider;
  };
  /** The model providers of a tenant, newest first. `GET /plugin/{tenant_id}/management/models` */
  readonly listModelProviders: {
    readonly kind: 'enveloped';
    readonly input: {
      /** Page, from 1. */
      readonly page: number;
      /** Rows of a page. */
      readonly page_size: number;
    };
    readonly data: readonly Provider[];
  };
  /** The agent strategy providers of a tenant, newest first. `GET /plugin/{tenant_id}/management/agent_strategies` */
  readonly listAgentStrategyProviders: {
    readonly kind: 'enveloped';
    readonly input: {
      /** Page, from 1. */
      readonly page: number;
      /** Rows of a page. */
      readonly page_size: number;
    };
    readonly data: readonly Provider[];
  };
  /** One agent strategy provider. `GET /plugin/{tenant_id}/management/agent_strategy` */
  readonly getAgentStrategyProvider: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name` */
      readonly plugin_id: string;
      /** Name of the provider inside the plugin. */
      readonly provider: string;
    };
    readonly data: Provider;
  };
  /** The datasource providers of a tenant, newest first. `GET /plugin/{tenant_id}/management/datasources` */
  readonly listDatasourceProviders: {
    readonly kind: 'enveloped';
    readonly input: {
      /** Page, from 1. */
      readonly page: number;
      /** Rows of a page. */
      readonly page_size: number;
    };
    readonly data: readonly Provider[];
  };
  /** One datasource provider. `GET /plugin/{tenant_id}/management/datasource` */
  readonly getDatasourceProvider: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name` */
      readonly plugin_id: string;
      /** Name of the provider inside the plugin. */
      readonly provider: string;
    };
    readonly data: Provider;
  };
  /** The trigger providers of a tenant, newest first. `GET /plugin/{tenant_id}/management/triggers` */
  readonly listTriggerProviders: {
    readonly kind: 'enveloped';
    readonly input: {
      /** Page, from 1. */
      readonly page: number;
      /** Rows of a page. */
      readonly page_size: number;
    };
    readonly data: readonly Provider[];
  };
  /** One trigger provider. `GET /plugin/{tenant_id}/management/trigger` */
  readonly getTriggerProvider: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name` */
      readonly plugin_id: string;
      /** Name of the provider inside the plugin. */
      readonly provider: string;
    };
    readonly data: Provider;
  };
  /** Whether the tenant has each of the given tool providers, in the order of the request. `POST /plugin/{tenant_id}/management/tools/check_existence` */
  readonly checkToolsExistence: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly provider_ids: ReadonlyArray<{
          readonly plugin_id: string;
          readonly provider_name: string;
        }>;
      };
    };
    readonly data: readonly boolean[];
  };
  /** Invoke a tool. `POST /plugin/{tenant_id}/dispatch/tool/invoke` */
  readonly invokeTool: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeTool;
      };
    };
    readonly data: InvokeToolAnswer;
  };
  /** Invoke a tool. `POST /v2/invoke/dispatch/tool/invoke` */
  readonly directInvokeTool: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeTool;
      };
    };
    readonly data: InvokeToolAnswer;
  };
  /** Validate the credentials of a tool provider. `POST /plugin/{tenant_id}/dispatch/tool/validate_credentials` */
  readonly validateToolCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestValidateToolCredentials;
      };
    };
    readonly data: ValidateToolCredentialsAnswer;
  };
  /** Validate the credentials of a tool provider. `POST /v2/invoke/dispatch/tool/validate_credentials` */
  readonly directValidateToolCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestValidateToolCredentials;
      };
    };
    readonly data: ValidateToolCredentialsAnswer;
  };
  /** Parameters of a tool that depend on its credentials. `POST /plugin/{tenant_id}/dispatch/tool/get_runtime_parameters` */
  readonly getToolRuntimeParameters: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetToolRuntimeParameters;
      };
    };
    readonly data: GetToolRuntimeParametersAnswer;
  };
  /** Parameters of a tool that depend on its credentials. `POST /v2/invoke/dispatch/tool/get_runtime_parameters` */
  readonly directGetToolRuntimeParameters: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetToolRuntimeParameters;
      };
    };
    readonly data: GetToolRuntimeParametersAnswer;
  };
  /** Run an agent strategy. `POST /plugin/{tenant_id}/dispatch/agent_strategy/invoke` */
  readonly invokeAgentStrategy: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeAgentStrategy;
      };
    };
    readonly data: InvokeAgentStrategyAnswer;
  };
  /** Run an agent strategy. `POST /v2/invoke/dispatch/agent_strategy/invoke` */
  readonly directInvokeAgentStrategy: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeAgentStrategy;
      };
    };
    readonly data: InvokeAgentStrategyAnswer;
  };
  /** Invoke a large language model. `POST /plugin/{tenant_id}/dispatch/llm/invoke` */
  readonly invokeLlm: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeLLM;
      };
    };
    readonly data: InvokeLlmAnswer;
  };
  /** Invoke a large language model. `POST /v2/invoke/dispatch/llm/invoke` */
  readonly directInvokeLlm: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeLLM;
      };
    };
    readonly data: InvokeLlmAnswer;
  };
  /** Count the tokens of prompt messages. `POST /plugin/{tenant_id}/dispatch/llm/num_tokens` */
  readonly getLlmNumTokens: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetLLMNumTokens;
      };
    };
    readonly data: GetLlmNumTokensAnswer;
  };
  /** Count the tokens of prompt messages. `POST /v2/invoke/dispatch/llm/num_tokens` */
  readonly directGetLlmNumTokens: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetLLMNumTokens;
      };
    };
    readonly data: GetLlmNumTokensAnswer;
  };
  /** Start a model call that is polled for. `POST /plugin/{tenant_id}/dispatch/model/polling/start` */
  readonly startPolling: {
    readonly kind: 'enveloped';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestStartPolling;
      };
    };
    readonly data: StartPollingAnswer;
  };
  /** Ask for the state of a polled model call. `POST /plugin/{tenant_id}/dispatch/model/polling/check` */
  readonly checkPolling: {
    readonly kind: 'enveloped';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestCheckPolling;
      };
    };
    readonly data: CheckPollingAnswer;
  };
  /** Embed texts. `POST /plugin/{tenant_id}/dispatch/text_embedding/invoke` */
  readonly invokeTextEmbedding: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeTextEmbedding;
      };
    };
    readonly data: InvokeTextEmbeddingAnswer;
  };
  /** Embed texts. `POST /v2/invoke/dispatch/text_embedding/invoke` */
  readonly directInvokeTextEmbedding: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeTextEmbedding;
      };
    };
    readonly data: InvokeTextEmbeddingAnswer;
  };
  /** Count the tokens of texts. `POST /plugin/{tenant_id}/dispatch/text_embedding/num_tokens` */
  readonly getTextEmbeddingNumTokens: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetTextEmbeddingNumTokens;
      };
    };
    readonly data: GetTextEmbeddingNumTokensAnswer;
  };
  /** Count the tokens of texts. `POST /v2/invoke/dispatch/text_embedding/num_tokens` */
  readonly directGetTextEmbeddingNumTokens: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetTextEmbeddingNumTokens;
      };
    };
    readonly data: GetTextEmbeddingNumTokensAnswer;
  };
  /** Embed texts and images. `POST /plugin/{tenant_id}/dispatch/multimodal_embedding/invoke` */
  readonly invokeMultimodalEmbedding: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeMultimodalEmbedding;
      };
    };
    readonly data: InvokeMultimodalEmbeddingAnswer;
  };
  /** Embed texts and images. `POST /v2/invoke/dispatch/multimodal_embedding/invoke` */
  readonly directInvokeMultimodalEmbedding: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeMultimodalEmbedding;
      };
    };
    readonly data: InvokeMultimodalEmbeddingAnswer;
  };
  /** Rerank documents. `POST /plugin/{tenant_id}/dispatch/rerank/invoke` */
  readonly invokeRerank: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeRerank;
      };
    };
    readonly data: InvokeRerankAnswer;
  };
  /** Rerank documents. `POST /v2/invoke/dispatch/rerank/invoke` */
  readonly directInvokeRerank: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeRerank;
      };
    };
    readonly data: InvokeRerankAnswer;
  };
  /** Rerank texts and images. `POST /plugin/{tenant_id}/dispatch/multimodal_rerank/invoke` */
  readonly invokeMultimodalRerank: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeMultimodalRerank;
      };
    };
    readonly data: InvokeMultimodalRerankAnswer;
  };
  /** Rerank texts and images. `POST /v2/invoke/dispatch/multimodal_rerank/invoke` */
  readonly directInvokeMultimodalRerank: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeMultimodalRerank;
      };
    };
    readonly data: InvokeMultimodalRerankAnswer;
  };
  /** Speak a text. `POST /plugin/{tenant_id}/dispatch/tts/invoke` */
  readonly invokeTts: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeTTS;
      };
    };
    readonly data: InvokeTtsAnswer;
  };
  /** Speak a text. `POST /v2/invoke/dispatch/tts/invoke` */
  readonly directInvokeTts: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeTTS;
      };
    };
    readonly data: InvokeTtsAnswer;
  };
  /** Voices of a speech model. `POST /plugin/{tenant_id}/dispatch/tts/model/voices` */
  readonly getTtsModelVoices: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetTTSModelVoices;
      };
    };
    readonly data: GetTtsModelVoicesAnswer;
  };
  /** Voices of a speech model. `POST /v2/invoke/dispatch/tts/model/voices` */
  readonly directGetTtsModelVoices: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetTTSModelVoices;
      };
    };
    readonly data: GetTtsModelVoicesAnswer;
  };
  /** Transcribe speech. `POST /plugin/{tenant_id}/dispatch/speech2text/invoke` */
  readonly invokeSpeech2text: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeSpeech2Text;
      };
    };
    readonly data: InvokeSpeech2textAnswer;
  };
  /** Transcribe speech. `POST /v2/invoke/dispatch/speech2text/invoke` */
  readonly directInvokeSpeech2text: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeSpeech2Text;
      };
    };
    readonly data: InvokeSpeech2textAnswer;
  };
  /** Moderate a text. `POST /plugin/{tenant_id}/dispatch/moderation/invoke` */
  readonly invokeModeration: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeModeration;
      };
    };
    readonly data: InvokeModerationAnswer;
  };
  /** Moderate a text. `POST /v2/invoke/dispatch/moderation/invoke` */
  readonly directInvokeModeration: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeModeration;
      };
    };
    readonly data: InvokeModerationAnswer;
  };
  /** Validate the credentials of a model provider. `POST /plugin/{tenant_id}/dispatch/model/validate_provider_credentials` */
  readonly validateProviderCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestValidateProviderCredentials;
      };
    };
    readonly data: ValidateProviderCredentialsAnswer;
  };
  /** Validate the credentials of a model provider. `POST /v2/invoke/dispatch/model/validate_provider_credentials` */
  readonly directValidateProviderCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestValidateProviderCredentials;
      };
    };
    readonly data: ValidateProviderCredentialsAnswer;
  };
  /** Validate the credentials of one model. `POST /plugin/{tenant_id}/dispatch/model/validate_model_credentials` */
  readonly validateModelCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestValidateModelCredentials;
      };
    };
    readonly data: ValidateModelCredentialsAnswer;
  };
  /** Validate the credentials of one model. `POST /v2/invoke/dispatch/model/validate_model_credentials` */
  readonly directValidateModelCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestValidateModelCredentials;
      };
    };
    readonly data: ValidateModelCredentialsAnswer;
  };
  /** Declaration of a customizable model. `POST /plugin/{tenant_id}/dispatch/model/schema` */
  readonly getAiModelSchemas: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetAIModelSchema;
      };
    };
    readonly data: GetAiModelSchemasAnswer;
  };
  /** Declaration of a customizable model. `POST /v2/invoke/dispatch/model/schema` */
  readonly directGetAiModelSchemas: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestGetAIModelSchema;
      };
    };
    readonly data: GetAiModelSchemasAnswer;
  };
  /** Where to send a user for OAuth consent. `POST /plugin/{tenant_id}/dispatch/oauth/get_authorization_url` */
  readonly getAuthorizationUrl: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestOAuthGetAuthorizationURL;
      };
    };
    readonly data: GetAuthorizationUrlAnswer;
  };
  /** Where to send a user for OAuth consent. `POST /v2/invoke/dispatch/oauth/get_authorization_url` */
  readonly directGetAuthorizationUrl: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestOAuthGetAuthorizationURL;
      };
    };
    readonly data: GetAuthorizationUrlAnswer;
  };
  /** Credentials from an OAuth callback. `POST /plugin/{tenant_id}/dispatch/oauth/get_credentials` */
  readonly getCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestOAuthGetCredentials;
      };
    };
    readonly data: GetCredentialsAnswer;
  };
  /** Credentials from an OAuth callback. `POST /v2/invoke/dispatch/oauth/get_credentials` */
  readonly directGetCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestOAuthGetCredentials;
      };
    };
    readonly data: GetCredentialsAnswer;
  };
  /** Refresh OAuth credentials. `POST /plugin/{tenant_id}/dispatch/oauth/refresh_credentials` */
  readonly refreshCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestOAuthRefreshCredentials;
      };
    };
    readonly data: RefreshCredentialsAnswer;
  };
  /** Refresh OAuth credentials. `POST /v2/invoke/dispatch/oauth/refresh_credentials` */
  readonly directRefreshCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestOAuthRefreshCredentials;
      };
    };
    readonly data: RefreshCredentialsAnswer;
  };
  /** Options of a dynamic parameter. `POST /plugin/{tenant_id}/dispatch/dynamic_select/fetch_parameter_options` */
  readonly fetchParameterOptions: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestDynamicParameterSelect;
      };
    };
    readonly data: FetchParameterOptionsAnswer;
  };
  /** Options of a dynamic parameter. `POST /v2/invoke/dispatch/dynamic_select/fetch_parameter_options` */
  readonly directFetchParameterOptions: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestDynamicParameterSelect;
      };
    };
    readonly data: FetchParameterOptionsAnswer;
  };
  /** Validate the credentials of a datasource provider. `POST /plugin/{tenant_id}/dispatch/datasource/validate_credentials` */
  readonly validateDatasourceCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestValidateDatasourceCredentials;
      };
    };
    readonly data: ValidateDatasourceCredentialsAnswer;
  };
  /** Validate the credentials of a datasource provider. `POST /v2/invoke/dispatch/datasource/validate_credentials` */
  readonly directValidateDatasourceCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestValidateDatasourceCredentials;
      };
    };
    readonly data: ValidateDatasourceCredentialsAnswer;
  };
  /** Crawl a website. `POST /plugin/{tenant_id}/dispatch/datasource/get_website_crawl` */
  readonly invokeWebsiteDatasourceGetCrawl: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestDatasourceGetWebsiteCrawl;
      };
    };
    readonly data: InvokeWebsiteDatasourceGetCrawlAnswer;
  };
  /** Crawl a website. `POST /v2/invoke/dispatch/datasource/get_website_crawl` */
  readonly directInvokeWebsiteDatasourceGetCrawl: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestDatasourceGetWebsiteCrawl;
      };
    };
    readonly data: InvokeWebsiteDatasourceGetCrawlAnswer;
  };
  /** List the pages of an online document service. `POST /plugin/{tenant_id}/dispatch/datasource/get_online_document_pages` */
  readonly invokeOnlineDocumentDatasourceGetPages: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestDatasourceGetOnlineDocumentPages;
      };
    };
    readonly data: InvokeOnlineDocumentDatasourceGetPagesAnswer;
  };
  /** List the pages of an online document service. `POST /v2/invoke/dispatch/datasource/get_online_document_pages` */
  readonly directInvokeOnlineDocumentDatasourceGetPages: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestDatasourceGetOnlineDocumentPages;
      };
    };
    readonly data: InvokeOnlineDocumentDatasourceGetPagesAnswer;
  };
  /** Content of an online document page. `POST /plugin/{tenant_id}/dispatch/datasource/get_online_document_page_content` */
  readonly invokeOnlineDocumentDatasourceGetPageContent: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeOnlineDocumentDatasourceGetContent;
      };
    };
    readonly data: InvokeOnlineDocumentDatasourceGetPageContentAnswer;
  };
  /** Content of an online document page. `POST /v2/invoke/dispatch/datasource/get_online_document_page_content` */
  readonly directInvokeOnlineDocumentDatasourceGetPageContent: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: RequestInvokeOnlineDocumentDatasourceGetContent;
      };
    };
    readonly data: InvokeOnlineDocumentDatasourceGetPageContentAnswer;
  };
  /** Browse an online drive. `POST /plugin/{tenant_id}/dispatch/datasource/online_drive_browse_files` */
  readonly invokeOnlineDriveBrowseFiles: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: DatasourceOnlineDriveBrowseFilesRequest;
      };
    };
    readonly data: InvokeOnlineDriveBrowseFilesAnswer;
  };
  /** Browse an online drive. `POST /v2/invoke/dispatch/datasource/online_drive_browse_files` */
  readonly directInvokeOnlineDriveBrowseFiles: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: DatasourceOnlineDriveBrowseFilesRequest;
      };
    };
    readonly data: InvokeOnlineDriveBrowseFilesAnswer;
  };
  /** Download a file from an online drive. `POST /plugin/{tenant_id}/dispatch/datasource/online_drive_download_file` */
  readonly invokeOnlineDriveDownloadFile: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: DatasourceOnlineDriveDownloadFileRequest;
      };
    };
    readonly data: InvokeOnlineDriveDownloadFileAnswer;
  };
  /** Download a file from an online drive. `POST /v2/invoke/dispatch/datasource/online_drive_download_file` */
  readonly directInvokeOnlineDriveDownloadFile: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: DatasourceOnlineDriveDownloadFileRequest;
      };
    };
    readonly data: InvokeOnlineDriveDownloadFileAnswer;
  };
  /** Turn an event into variables. `POST /plugin/{tenant_id}/dispatch/trigger/invoke_event` */
  readonly invokeTriggerEvent: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerInvokeEventRequest;
      };
    };
    readonly data: InvokeTriggerEventAnswer;
  };
  /** Turn an event into variables. `POST /v2/invoke/dispatch/trigger/invoke_event` */
  readonly directInvokeTriggerEvent: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerInvokeEventRequest;
      };
    };
    readonly data: InvokeTriggerEventAnswer;
  };
  /** Validate the credentials of a trigger provider. `POST /plugin/{tenant_id}/dispatch/trigger/validate_credentials` */
  readonly validateTriggerCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerValidateProviderCredentialsRequest;
      };
    };
    readonly data: ValidateTriggerCredentialsAnswer;
  };
  /** Validate the credentials of a trigger provider. `POST /v2/invoke/dispatch/trigger/validate_credentials` */
  readonly directValidateTriggerCredentials: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerValidateProviderCredentialsRequest;
      };
    };
    readonly data: ValidateTriggerCredentialsAnswer;
  };
  /** Dispatch a webhook to events. `POST /plugin/{tenant_id}/dispatch/trigger/dispatch_event` */
  readonly dispatchTriggerEvent: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerDispatchEventRequest;
      };
    };
    readonly data: DispatchTriggerEventAnswer;
  };
  /** Dispatch a webhook to events. `POST /v2/invoke/dispatch/trigger/dispatch_event` */
  readonly directDispatchTriggerEvent: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerDispatchEventRequest;
      };
    };
    readonly data: DispatchTriggerEventAnswer;
  };
  /** Subscribe to a trigger. `POST /plugin/{tenant_id}/dispatch/trigger/subscribe` */
  readonly subscribeTrigger: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerSubscribeRequest;
      };
    };
    readonly data: SubscribeTriggerAnswer;
  };
  /** Subscribe to a trigger. `POST /v2/invoke/dispatch/trigger/subscribe` */
  readonly directSubscribeTrigger: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerSubscribeRequest;
      };
    };
    readonly data: SubscribeTriggerAnswer;
  };
  /** Unsubscribe from a trigger. `POST /plugin/{tenant_id}/dispatch/trigger/unsubscribe` */
  readonly unsubscribeTrigger: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerUnsubscribeRequest;
      };
    };
    readonly data: UnsubscribeTriggerAnswer;
  };
  /** Unsubscribe from a trigger. `POST /v2/invoke/dispatch/trigger/unsubscribe` */
  readonly directUnsubscribeTrigger: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerUnsubscribeRequest;
      };
    };
    readonly data: UnsubscribeTriggerAnswer;
  };
  /** Refresh a subscription. `POST /plugin/{tenant_id}/dispatch/trigger/refresh` */
  readonly refreshTrigger: {
    readonly kind: 'stream';
    readonly input: {
      /** The installed plugin, `author/name`. */
      readonly pluginId: string;
      readonly body: {
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerRefreshRequest;
      };
    };
    readonly data: RefreshTriggerAnswer;
  };
  /** Refresh a subscription. `POST /v2/invoke/dispatch/trigger/refresh` */
  readonly directRefreshTrigger: {
    readonly kind: 'stream';
    readonly input: {
      /** The plugin, `author/name:version@checksum`; installed or not. */
      readonly pluginUniqueIdentifier: string;
      readonly body: {
        readonly tenant_id: string;
        readonly user_id?: string;
        readonly conversation_id?: string | null;
        readonly message_id?: string | null;
        readonly app_id?: string | null;
        readonly endpoint_id?: string | null;
        readonly context?: Readonly<Record<string, unknown>>;
        readonly data: TriggerRefreshRequest;
      };
    };
    readonly data: RefreshTriggerAnswer;
  };
  /** Set up an endpoint: a webhook of an installed plugin with its settings. `POST /plugin/{tenant_id}/endpoint/setup` */
  readonly setupEndpoint: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        /** The installed plugin version */
        readonly plugin_unique_identifier: string;
        readonly user_id: string;
        /** Values of the declared settings, secrets in the clear; default {} */
        readonly settings?: Readonly<Record<string, unknown>>;
        readonly name: string;
      };
    };
    readonly data: true;
  };
  /** Replace the name and settings of an endpoint. `POST /plugin/{tenant_id}/endpoint/update` */
  readonly updateEndpoint: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly endpoint_id: string;
        /** Must be there; the stored user stays */
        readonly user_id: string;
        /** The whole new settings; a secret that equals its masked form keeps its stored value */
        readonly settings?: Readonly<Record<string, unknown>>;
        readonly name: string;
      };
    };
    readonly data: true;
  };
  /** Remove an endpoint. `POST /plugin/{tenant_id}/endpoint/remove` */
  readonly removeEndpoint: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly endpoint_id: string;
      };
    };
    readonly data: true;
  };
  /** Enable an endpoint. `POST /plugin/{tenant_id}/endpoint/enable` */
  readonly enableEndpoint: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly endpoint_id: string;
      };
    };
    readonly data: true;
  };
  /** Disable an endpoint: its webhook answers 404. `POST /plugin/{tenant_id}/endpoint/disable` */
  readonly disableEndpoint: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        readonly endpoint_id: string;
      };
    };
    readonly data: true;
  };
  /** List the endpoints of a tenant, newest first, secrets masked. `GET /plugin/{tenant_id}/endpoint/list` */
  readonly listEndpoints: {
    readonly kind: 'enveloped';
    readonly input: {
      /** From 1 */
      readonly page: number;
      /** At most 100 */
      readonly page_size: number;
    };
    readonly data: readonly Endpoint[];
  };
  /** List the endpoints of one plugin, newest first, secrets masked. `GET /plugin/{tenant_id}/endpoint/list/plugin` */
  readonly listEndpointsOfPlugin: {
    readonly kind: 'enveloped';
    readonly input: {
      /** `author/name` */
      readonly plugin_id: string;
      /** From 1 */
      readonly page: number;
      /** At most 100 */
      readonly page_size: number;
    };
    readonly data: readonly Endpoint[];
  };
  /** Why a webhook failed, by the error id that its caller was told. `GET /plugin/{tenant_id}/endpoint/failure` */
  readonly findWebhookFailure: {
    readonly kind: 'enveloped';
    readonly input: {
      /** As the caller of the webhook was told it. */
      readonly error_id: string;
    };
    readonly data: WebhookFailure;
  };
  /** The tenant's key for debugging connections; it lives for two hours from now. `POST /plugin/{tenant_id}/debugging/key` */
  readonly getDebuggingKey: {
    readonly kind: 'enveloped';
    readonly input: Readonly<Record<never, never>>;
    readonly data: {
      /** REMOTE_INSTALL_KEY of the plugin, a UUID; empty while PLUGIN_REMOTE_INSTALLING_ENABLED is false */
      readonly key: string;
    };
  };
  /** A new key for debugging connections; the old one opens none any more, open ones stay. `POST /plugin/{tenant_id}/debugging/key/rotate` */
  readonly rotateDebuggingKey: {
    readonly kind: 'enveloped';
    readonly input: Readonly<Record<never, never>>;
    readonly data: {
      /** REMOTE_INSTALL_KEY of the plugin, a UUID; empty while PLUGIN_REMOTE_INSTALLING_ENABLED is false */
      readonly key: string;
    };
  };
  /** An icon by the asset id that declarations carry. `GET /plugin/{tenant_id}/asset/{id}` */
  readonly getAsset: {
    readonly kind: 'bytes';
    readonly input: {
      /** The asset id that a declaration carries, such as `icon`. */
      readonly id: string;
    };
    readonly data: Uint8Array;
  };
  /** A file below the `_assets` of a stored package. `GET /plugin/{tenant_id}/extract-asset/` */
  readonly getPackageAsset: {
    readonly kind: 'bytes';
    readonly input: {
      /** `author/name:version@checksum` */
      readonly plugin_unique_identifier: string;
      /** Path below the `_assets` of the package. */
      readonly file_path: string;
    };
    readonly data: Uint8Array;
  };
  /** What a plugin said lately on all nodes, by time, and with `follow` what it says from now on; events, one a line. `GET /plugin/{tenant_id}/management/logs` */
  readonly readPluginLogs: {
    readonly kind: 'stream';
    readonly input: {
      /** `author/name` */
      readonly plugin_id: string;
      /** How many of the last lines. */
      readonly lines?: number;
      /** Also the lines to come, until the client leaves. */
      readonly follow?: boolean;
    };
    readonly data: PluginLogLine;
  };
  /** The open calls of plugins on all nodes, the oldest first. `GET /plugin/{tenant_id}/sessions` */
  readonly listOpenCalls: {
    readonly kind: 'enveloped';
    readonly input: Readonly<Record<never, never>>;
    readonly data: readonly OpenCall[];
  };
  /** End one open call: its caller gets an error, the plugin is told to stop, and nothing else ends with it. `DELETE /plugin/{tenant_id}/sessions/{session_id}` */
  readonly endOpenCall: {
    readonly kind: 'enveloped';
    readonly input: {
      /** The id of an open call, as the list tells it and the header `X-Plugin-Session-Id` of its answer. */
      readonly session_id: string;
    };
    readonly data: boolean;
  };
  /** What runs of each plugin version on each node, what sleeps, and how many calls wait. `GET /admin/plugins/processes` */
  readonly listPluginProcesses: {
    readonly kind: 'enveloped';
    readonly input: Readonly<Record<never, never>>;
    readonly data: readonly PluginProcesses[];
  };
  /** How the processes of single plugins are kept: what was said through this API, and by the file of this node. `GET /admin/plugins/policies` */
  readonly listPluginPolicies: {
    readonly kind: 'enveloped';
    readonly input: Readonly<Record<never, never>>;
    readonly data: readonly PluginPolicyRow[];
  };
  /** Say how the processes of a plugin are kept, on all nodes, from now on. `PUT /admin/plugins/policies` */
  readonly setPluginPolicy: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        /** `author/name` */
        readonly plugin_id: string;
        /** Processes that run whether anybody calls or not. */
        readonly min?: number | null;
        /** Processes at most. */
        readonly max?: number | null;
        /** Without a call for so long it stops; 0: never. */
        readonly idle_seconds?: number | null;
        /** Open calls that one process is meant to bear. */
        readonly calls_target?: number | null;
        /** Open calls that one process takes at most. */
        readonly calls_max?: number | null;
        /** Calls that may wait. */
        readonly queue_max?: number | null;
        /** Calls that a tenant may make in a minute; 0: no limit. */
        readonly calls_per_minute?: number | null;
        /** After so many calls of a tenant failed in a row, further ones are refused for a while; 0: never. */
        readonly breaker_failures?: number | null;
        /** How long they are refused. */
        readonly breaker_open_seconds?: number | null;
      };
    };
    readonly data: true;
  };
  /** The Python environments that plugins share on this node, and how many refer to each. `GET /admin/environments` */
  readonly listEnvironments: {
    readonly kind: 'enveloped';
    readonly input: Readonly<Record<never, never>>;
    readonly data: readonly SharedEnvironment[];
  };
  /** List, or remove, what of plugins and environments nobody uses any more on this node. `POST /admin/environments/collect` */
  readonly collectEnvironments: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        /** Remove it; without, it is only listed. */
        readonly remove?: boolean;
        /** Only what is older; PLUGIN_ENVIRONMENT_RETENTION unless given, and a week where that is 0. */
        readonly unused_hours?: number | null;
      };
    };
    readonly data: EnvironmentCollection;
  };
  /** Who installed, upgraded, removed or rotated what, newest first. `GET /admin/audit` */
  readonly listAuditEvents: {
    readonly kind: 'enveloped';
    readonly input: {
      /** How many, 100 unless given, 1000 at most. */
      readonly limit?: number;
      /** The id of the last event seen. */
      readonly before?: string;
    };
    readonly data: readonly AuditEvent[];
  };
  /** Build the function of a plugin anew; events as they happen. `POST /admin/plugin/serverless/reinstall` */
  readonly reinstallServerlessPlugin: {
    readonly kind: 'stream';
    readonly input: {
      readonly body: {
        /** The plugin version whose function is meant. */
        readonly plugin_unique_identifier: string;
      };
    };
    readonly data: ReinstallProgress;
  };
  /** Point a plugin to another function. `POST /admin/plugin/serverless/switch-endpoint` */
  readonly switchServerlessEndpoint: {
    readonly kind: 'enveloped';
    readonly input: {
      readonly body: {
        /** The plugin version whose function is meant. */
        readonly plugin_unique_identifier: string;
        readonly function_name: string;
        readonly function_url: string;
      };
    };
    readonly data: true;
  };
  /** Figures of this node; always ok. `GET /health/check` */
  readonly getHealth: {
    readonly kind: 'plain';
    readonly input: Readonly<Record<never, never>>;
    readonly data: Health;
  };
  /** The process answers. `GET /livez` */
  readonly getLiveness: {
    readonly kind: 'plain';
    readonly input: Readonly<Record<never, never>>;
    readonly data: {
      readonly status: "ok";
    };
  };
  /** The database, the storage and the installed plugins are there. `GET /readyz` */
  readonly getReadiness: {
    readonly kind: 'plain';
    readonly input: Readonly<Record<never, never>>;
    readonly data: Readiness;
  };
  /** Prometheus metrics. `GET /metrics/` */
  readonly getMetrics: {
    readonly kind: 'bytes';
    readonly input: Readonly<Record<never, never>>;
    readonly data: Uint8Array;
  };
  /** Leads to the page to read, or to the health answer where that page needs a key. `GET /` */
  readonly getStart: {
    readonly kind: 'bytes';
    readonly input: Readonly<Record<never, never>>;
    readonly data: Uint8Array;
  };
  /** This document. `GET /openapi.json` */
  readonly getOpenApiDocument: {
    readonly kind: 'plain';
    readonly input: Readonly<Record<never, never>>;
    readonly data: Readonly<Record<string, unknown>>;
  };
  /** This document as a page to read. `GET /docs` */
  readonly getDocumentationPage: {
    readonly kind: 'bytes';
    readonly input: Readonly<Record<never, never>>;
    readonly data: Uint8Array;
  };
}

/** How each operation is called. */
export const operations = {
  uploadPackage: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/install/upload/package","key":"serverKey","body":"multipart"},
  uploadBundle: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/install/upload/bundle","key":"serverKey","body":"multipart"},
  installPlugins: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/install/identifiers","key":"serverKey","body":"json"},
  upgradePlugin: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/install/upgrade","key":"serverKey","body":"json"},
  rollBackPlugin: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/install/rollback","key":"serverKey","body":"json"},
  uninstallPlugin: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/uninstall","key":"serverKey","body":"json"},
  listInstallTasks: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/install/tasks","key":"serverKey","query":["page","page_size"]},
  getInstallTask: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/install/tasks/{id}","key":"serverKey"},
  deleteAllInstallTasks: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/install/tasks/delete_all","key":"serverKey"},
  deleteInstallTask: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/install/tasks/{id}/delete","key":"serverKey"},
  deleteInstallTaskItem: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/install/tasks/{id}/delete/{identifier}","key":"serverKey"},
  decodePackage: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/decode/from_identifier","key":"serverKey","query":["plugin_unique_identifier"]},
  extractPackage: {"kind":"enveloped","method":"GET","path":"/v2/invoke/extract","key":"serverKey","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  getManifest: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/fetch/manifest","key":"serverKey","query":["plugin_unique_identifier"]},
  pluginExists: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/fetch/identifier","key":"serverKey","query":["plugin_unique_identifier"]},
  getReadme: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/fetch/readme","key":"serverKey","query":["plugin_unique_identifier","language"]},
  listInstallations: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/list","key":"serverKey","query":["page","page_size"]},
  listPluginIdsOfCategory: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/installation/ids","key":"serverKey","query":["category"]},
  listInstallationsOfCategory: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/{category}/list","key":"serverKey","query":["page","page_size","query","tags","language"]},
  findInstallations: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/installation/fetch/batch","key":"serverKey","body":"json"},
  listMissingPlugins: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/installation/missing","key":"serverKey","body":"json"},
  listModelBindings: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/models/bindings","key":"serverKey"},
  listToolProviders: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/tools","key":"serverKey","query":["page","page_size"]},
  getToolProvider: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/tool","key":"serverKey","query":["plugin_id","provider"]},
  listModelProviders: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/models","key":"serverKey","query":["page","page_size"]},
  listAgentStrategyProviders: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/agent_strategies","key":"serverKey","query":["page","page_size"]},
  getAgentStrategyProvider: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/agent_strategy","key":"serverKey","query":["plugin_id","provider"]},
  listDatasourceProviders: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/datasources","key":"serverKey","query":["page","page_size"]},
  getDatasourceProvider: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/datasource","key":"serverKey","query":["plugin_id","provider"]},
  listTriggerProviders: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/triggers","key":"serverKey","query":["page","page_size"]},
  getTriggerProvider: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/management/trigger","key":"serverKey","query":["plugin_id","provider"]},
  checkToolsExistence: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/management/tools/check_existence","key":"serverKey","body":"json"},
  invokeTool: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/tool/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeTool: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/tool/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  validateToolCredentials: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/tool/validate_credentials","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directValidateToolCredentials: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/tool/validate_credentials","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  getToolRuntimeParameters: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/tool/get_runtime_parameters","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directGetToolRuntimeParameters: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/tool/get_runtime_parameters","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeAgentStrategy: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/agent_strategy/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeAgentStrategy: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/agent_strategy/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeLlm: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/llm/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeLlm: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/llm/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  getLlmNumTokens: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/llm/num_tokens","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directGetLlmNumTokens: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/llm/num_tokens","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  startPolling: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/dispatch/model/polling/start","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  checkPolling: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/dispatch/model/polling/check","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  invokeTextEmbedding: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/text_embedding/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeTextEmbedding: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/text_embedding/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  getTextEmbeddingNumTokens: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/text_embedding/num_tokens","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directGetTextEmbeddingNumTokens: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/text_embedding/num_tokens","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeMultimodalEmbedding: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/multimodal_embedding/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeMultimodalEmbedding: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/multimodal_embedding/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeRerank: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/rerank/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeRerank: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/rerank/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeMultimodalRerank: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/multimodal_rerank/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeMultimodalRerank: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/multimodal_rerank/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeTts: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/tts/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeTts: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/tts/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  getTtsModelVoices: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/tts/model/voices","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directGetTtsModelVoices: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/tts/model/voices","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeSpeech2text: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/speech2text/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeSpeech2text: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/speech2text/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeModeration: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/moderation/invoke","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeModeration: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/moderation/invoke","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  validateProviderCredentials: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/model/validate_provider_credentials","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directValidateProviderCredentials: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/model/validate_provider_credentials","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  validateModelCredentials: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/model/validate_model_credentials","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directValidateModelCredentials: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/model/validate_model_credentials","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  getAiModelSchemas: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/model/schema","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directGetAiModelSchemas: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/model/schema","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  getAuthorizationUrl: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/oauth/get_authorization_url","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directGetAuthorizationUrl: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/oauth/get_authorization_url","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  getCredentials: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/oauth/get_credentials","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directGetCredentials: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/oauth/get_credentials","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  refreshCredentials: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/oauth/refresh_credentials","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directRefreshCredentials: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/oauth/refresh_credentials","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  fetchParameterOptions: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/dynamic_select/fetch_parameter_options","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directFetchParameterOptions: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/dynamic_select/fetch_parameter_options","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  validateDatasourceCredentials: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/datasource/validate_credentials","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directValidateDatasourceCredentials: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/datasource/validate_credentials","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeWebsiteDatasourceGetCrawl: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/datasource/get_website_crawl","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeWebsiteDatasourceGetCrawl: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/datasource/get_website_crawl","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeOnlineDocumentDatasourceGetPages: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/datasource/get_online_document_pages","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeOnlineDocumentDatasourceGetPages: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/datasource/get_online_document_pages","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeOnlineDocumentDatasourceGetPageContent: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/datasource/get_online_document_page_content","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeOnlineDocumentDatasourceGetPageContent: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/datasource/get_online_document_page_content","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeOnlineDriveBrowseFiles: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/datasource/online_drive_browse_files","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeOnlineDriveBrowseFiles: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/datasource/online_drive_browse_files","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeOnlineDriveDownloadFile: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/datasource/online_drive_download_file","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeOnlineDriveDownloadFile: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/datasource/online_drive_download_file","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  invokeTriggerEvent: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/trigger/invoke_event","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directInvokeTriggerEvent: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/trigger/invoke_event","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  validateTriggerCredentials: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/trigger/validate_credentials","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directValidateTriggerCredentials: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/trigger/validate_credentials","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  dispatchTriggerEvent: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/trigger/dispatch_event","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directDispatchTriggerEvent: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/trigger/dispatch_event","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  subscribeTrigger: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/trigger/subscribe","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directSubscribeTrigger: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/trigger/subscribe","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  unsubscribeTrigger: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/trigger/unsubscribe","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directUnsubscribeTrigger: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/trigger/unsubscribe","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  refreshTrigger: {"kind":"stream","method":"POST","path":"/plugin/{tenant_id}/dispatch/trigger/refresh","key":"serverKey","body":"json","headers":{"pluginId":"X-Plugin-ID"}},
  directRefreshTrigger: {"kind":"stream","method":"POST","path":"/v2/invoke/dispatch/trigger/refresh","key":"serverKey","body":"json","headers":{"pluginUniqueIdentifier":"X-Plugin-Unique-Identifier"}},
  setupEndpoint: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/endpoint/setup","key":"serverKey","body":"json"},
  updateEndpoint: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/endpoint/update","key":"serverKey","body":"json"},
  removeEndpoint: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/endpoint/remove","key":"serverKey","body":"json"},
  enableEndpoint: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/endpoint/enable","key":"serverKey","body":"json"},
  disableEndpoint: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/endpoint/disable","key":"serverKey","body":"json"},
  listEndpoints: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/endpoint/list","key":"serverKey","query":["page","page_size"]},
  listEndpointsOfPlugin: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/endpoint/list/plugin","key":"serverKey","query":["plugin_id","page","page_size"]},
  findWebhookFailure: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/endpoint/failure","key":"serverKey","query":["error_id"]},
  getDebuggingKey: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/debugging/key","key":"serverKey"},
  rotateDebuggingKey: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/debugging/key/rotate","key":"serverKey"},
  getAsset: {"kind":"bytes","method":"GET","path":"/plugin/{tenant_id}/asset/{id}","key":"serverKey"},
  getPackageAsset: {"kind":"bytes","method":"GET","path":"/plugin/{tenant_id}/extract-asset/","key":"serverKey","query":["plugin_unique_identifier","file_path"]},
  readPluginLogs: {"kind":"stream","method":"GET","path":"/plugin/{tenant_id}/management/logs","key":"serverKey","query":["plugin_id","lines","follow"]},
  listOpenCalls: {"kind":"enveloped","method":"GET","path":"/plugin/{tenant_id}/sessions","key":"serverKey"},
  endOpenCall: {"kind":"enveloped","method":"DELETE","path":"/plugin/{tenant_id}/sessions/{session_id}","key":"serverKey"},
  listPluginProcesses: {"kind":"enveloped","method":"GET","path":"/admin/plugins/processes","key":"adminKey"},
  listPluginPolicies: {"kind":"enveloped","method":"GET","path":"/admin/plugins/policies","key":"adminKey"},
  setPluginPolicy: {"kind":"enveloped","method":"PUT","path":"/admin/plugins/policies","key":"adminKey","body":"json"},
  listEnvironments: {"kind":"enveloped","method":"GET","path":"/admin/environments","key":"adminKey"},
  collectEnvironments: {"kind":"enveloped","method":"POST","path":"/admin/environments/collect","key":"adminKey","body":"json"},
  listAuditEvents: {"kind":"enveloped","method":"GET","path":"/admin/audit","key":"adminKey","query":["limit","before"]},
  reinstallServerlessPlugin: {"kind":"stream","method":"POST","path":"/admin/plugin/serverless/reinstall","key":"adminKey","body":"json"},
  switchServerlessEndpoint: {"kind":"enveloped","method":"POST","path":"/admin/plugin/serverless/switch-endpoint","key":"adminKey","body":"json"},
  getHealth: {"kind":"plain","method":"GET","path":"/health/check"},
  getLiveness: {"kind":"plain","method":"GET","path":"/livez"},
  getReadiness: {"kind":"plain","method":"GET","path":"/readyz","key":"serverKey"},
  getMetrics: {"kind":"bytes","method":"GET","path":"/metrics/","key":"serverKey"},
  getStart: {"kind":"bytes","method":"GET","path":"/"},
  getOpenApiDocument: {"kind":"plain","method":"GET","path":"/openapi.json","key":"serverKey"},
  getDocumentationPage: {"kind":"bytes","method":"GET","path":"/docs","key":"serverKey"},
} as const satisfies Readonly<Record<keyof Operations, OperationSpec>>;

export interface OperationSpec {
  readonly kind: 'enveloped' | 'plain' | 'stream' | 'bytes';
  readonly method: string;
  readonly path: string;
  readonly key?: 'serverKey' | 'adminKey';
  readonly body?: 'json' | 'multipart';
  readonly query?: readonly string[];
  /** Header by the name of its member in the input. */
  readonly headers?: Readonly<Record<string, string>>;
}
