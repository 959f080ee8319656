/**
 * The shape of a declaration: a plugin's manifest merged with every file it names. This is what is stored as JSON and
 * what HTTP answers carry (docs/wire/packages.md#manifest). Keys marked `?` are left out when absent, all others are
 * always there, null included.
 */
import type { Json, JsonObject } from '../json.ts';

export type { Json, JsonObject };

export interface I18n {
  en_US: string;
  ja_JP?: string;
  zh_Hans?: string;
  pt_BR?: string;
}

export interface Enabled {
  enabled: boolean;
}

export interface ModelPermission {
  enabled: boolean;
  llm: boolean;
  text_embedding: boolean;
  rerank: boolean;
  tts: boolean;
  speech2text: boolean;
  moderation: boolean;
}

export interface StoragePermission {
  enabled: boolean;
  /** bytes */
  size: number;
}

export interface Permission {
  tool?: Enabled;
  model?: ModelPermission;
  node?: Enabled;
  endpoint?: Enabled;
  app?: Enabled;
  storage?: StoragePermission;
}

export interface Resource {
  /** bytes */
  memory: number;
  permission?: Permission;
}

/** Package-relative paths of the provider files, per category. */
export interface PluginFiles {
  tools: string[] | null;
  models: string[] | null;
  endpoints: string[] | null;
  agent_strategies: string[] | null;
  datasources: string[] | null;
  triggers: string[] | null;
}

export interface Runner {
  language: string;
  version: string;
  entrypoint: string;
}

export interface Meta {
  version: string;
  arch: string[] | null;
  runner: Runner;
  minimum_dify_version: string | null;
}

export interface ConfigOption {
  value: string;
  label: I18n;
}

/** A credential or setting field (docs/wire/packages.md#setting-fields). */
export interface ProviderConfig {
  name: string;
  type: string;
  scope: string | null;
  required: boolean;
  default: Json;
  options: ConfigOption[] | null;
  multiple: boolean;
  label: I18n;
  help: I18n | null;
  url: string | null;
  placeholder: I18n | null;
}

export interface OAuthSchema {
  client_schema: ProviderConfig[];
  credentials_schema: ProviderConfig[];
}

export interface ParameterOption {
  value: string;
  label: I18n;
  icon: string;
}

export interface AutoGenerate {
  type: string;
}

export interface Identity {
  author: string;
  name: string;
  label: I18n;
}

export interface ProviderIdentity {
  author: string;
  name: string;
  description: I18n;
  icon: string;
  icon_dark: string;
  label: I18n;
  tags: string[];
}

export interface ToolParameter {
  name: string;
  label: I18n;
  human_description: I18n;
  type: string;
  scope: string | null;
  form: string;
  llm_description: string;
  required: boolean;
  auto_generate: AutoGenerate | null;
  template: Enabled | null;
  default: Json;
  min: number | null;
  max: number | null;
  multiple: boolean;
  precision: number | null;
  options: ParameterOption[] | null;
}

export interface ToolDeclaration {
  identity: Identity;
  description: { human: I18n; llm: string };
  parameters: ToolParameter[] | null;
  output_schema?: JsonObject;
  has_runtime_parameters: boolean;
}

export interface ToolProviderDeclaration {
  identity: ProviderIdentity;
  credentials_schema: ProviderConfig[];
  oauth_schema: OAuthSchema | null;
  tools: ToolDeclaration[];
}

export interface EndpointDeclaration {
  path: string;
  method: string;
  hidden: boolean;
}

export interface EndpointProviderDeclaration {
  settings: ProviderConfig[];
  endpoints: EndpointDeclaration[];
}

export interface ModelParameterRule {
  name: string;
  use_template: string | null;
  label: I18n;
  type: string | null;
  help: I18n | null;
  required: boolean;
  default: Json;
  min: number | null;
  max: number | null;
  precision: number | null;
  options: string[];
}

/** Decimals in plain notation, as strings. */
export interface ModelPricing {
  input: string;
  output: string | null;
  unit: string;
  currency: string;
}

export interface ModelDeclaration {
  model: string;
  label: I18n;
  model_type: string;
  features: string[] | null;
  fetch_from: string;
  model_properties: JsonObject;
  deprecated: boolean;
  parameter_rules: ModelParameterRule[];
  pricing: ModelPricing | null;
}

export interface ShowOn {
  variable: string;
  value: string;
}

export interface FormOption {
  label: I18n;
  value: string;
  show_on: ShowOn[];
}

export interface CredentialForm {
  variable: string;
  label: I18n;
  type: string;
  required: boolean;
  default: string | null;
  options: FormOption[];
  help: I18n | null;
  url: string | null;
  placeholder: I18n | null;
  max_length: number;
  show_on: ShowOn[];
}

export interface ProviderCredentialSchema {
  credential_form_schemas: CredentialForm[];
}

export interface ModelCredentialSchema {
  model: { label: I18n; placeholder: I18n | null };
  credential_form_schemas: CredentialForm[];
}

export interface ModelHelp {
  title: I18n;
  url: I18n;
}

/** Model names in display order, per kind. */
export interface ModelPosition {
  llm?: string[];
  text_embedding?: string[];
  rerank?: string[];
  tts?: string[];
  speech2text?: string[];
  moderation?: string[];
}

export interface ModelProviderDeclaration {
  provider: string;
  label: I18n;
  description: I18n | null;
  icon_small: I18n | null;
  icon_large: I18n | null;
  icon_small_dark: I18n | null;
  icon_large_dark: I18n | null;
  background: string | null;
  help: ModelHelp | null;
  supported_model_types: string[] | null;
  configurate_methods: string[] | null;
  provider_credential_schema: ProviderCredentialSchema | null;
  model_credential_schema: ModelCredentialSchema | null;
  position?: ModelPosition;
  models: ModelDeclaration[];
}

export interface AgentStrategyParameter {
  name: string;
  label: I18n;
  help: I18n;
  type: string;
  auto_generate: AutoGenerate | null;
  template: Enabled | null;
  scope: string | null;
  required: boolean;
  default: Json;
  min: number | null;
  max: number | null;
  precision: number | null;
  options: ParameterOption[] | null;
}

export interface AgentStrategyDeclaration {
  identity: Identity;
  description: I18n;
  parameters: AgentStrategyParameter[] | null;
  output_schema: JsonObject | null;
  features: string[];
}

export interface AgentStrategyProviderDeclaration {
  identity: ProviderIdentity;
  strategies: AgentStrategyDeclaration[];
}

export interface DatasourceParameter {
  name: string;
  label: I18n;
  type: string;
  scope: string | null;
  required: boolean;
  auto_generate: AutoGenerate | null;
  template: Enabled | null;
  default: Json;
  min: number | null;
  max: number | null;
  precision: number | null;
  options: ParameterOption[] | null;
  description: I18n;
}

export interface DatasourceIdentity extends Identity {
  icon: string;
}

export interface DatasourceDeclaration {
  identity: DatasourceIdentity;
  parameters: DatasourceParameter[] | null;
  description: I18n;
  output_schema?: JsonObject;
}

export interface DatasourceProviderIdentity {
  author: string;
  name: string;
  description: I18n;
  icon: string;
  label: I18n;
  tags: string[];
}

export interface DatasourceProviderDeclaration {
  identity: DatasourceProviderIdentity;
  credentials_schema: ProviderConfig[];
  oauth_schema: OAuthSchema | null;
  provider_type: string;
  datasources: DatasourceDeclaration[];
}

export interface EventParameterOption {
  label: I18n;
  value: Json;
}

export interface EventParameter {
  name: string;
  label: I18n;
  type: string;
  auto_generate?: AutoGenerate;
  template?: Enabled;
  scope?: string;
  required: boolean;
  multiple?: boolean;
  default?: Json;
  min?: number;
  max?: number;
  precision?: number;
  options?: EventParameterOption[];
  description?: I18n;
}

export interface EventDeclaration {
  identity: Identity;
  parameters: EventParameter[] | null;
  description: I18n;
  output_schema?: JsonObject;
}

export interface SubscriptionConstructor {
  parameters: EventParameter[];
  credentials_schema: ProviderConfig[];
  oauth_schema?: OAuthSchema;
}

export interface TriggerProviderDeclaration {
  identity: ProviderIdentity;
  subscription_schema: ProviderConfig[];
  subscription_constructor: SubscriptionConstructor | null;
  events: EventDeclaration[];
}

export interface PluginDeclaration {
  version: string;
  type: string;
  author: string;
  name: string;
  label: I18n;
  description: I18n;
  icon: string;
  icon_dark: string;
  resource: Resource;
  plugins: PluginFiles;
  meta: Meta;
  tags: string[];
  /** RFC 3339, up to nanoseconds, offset kept */
  created_at: string;
  privacy?: string;
  repo?: string;
  verified: boolean;
  endpoint?: EndpointProviderDeclaration;
  model?: ModelProviderDeclaration;
  tool?: ToolProviderDeclaration;
  agent_strategy?: AgentStrategyProviderDeclaration;
  datasource?: DatasourceProviderDeclaration;
  trigger?: TriggerProviderDeclaration;
}

export type PluginCategory = 'tool' | 'model' | 'datasource' | 'agent-strategy' | 'trigger' | 'extension';
