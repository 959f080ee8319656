/** Calls of data sources: pages, files, crawls. */
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { CallSpec, Inputs } from './call.ts';
import { convertAll, optionsOf, pick, refuseOthers } from './parameters.ts';

/** Names one page of an online document. */
const PAGE_PARAMETERS: readonly string[] = ['page_id', 'workspace_id', 'type'];

export function datasourceRequest(
  declaration: PluginDeclaration,
  name: string | undefined,
  { params, credentials }: Inputs,
): CallSpec {
  const provider = declaration.datasource;
  const datasource = pick(provider?.datasources ?? [], (each) => each.identity.name, name, 'datasource');
  const base = { provider: provider?.identity.name ?? '', datasource: datasource.identity.name, credentials };
  const label = `datasource ${datasource.identity.name}`;
  if (provider?.provider_type === 'online_drive') {
    refuseOthers([...params.keys()], ['bucket', 'prefix', 'max_keys', 'id'], label);
    const request = {
      bucket: params.get('bucket') ?? null,
      prefix: params.get('prefix') ?? '',
      max_keys: Number(params.get('max_keys') ?? 20),
      next_page_parameters: null,
    };
    if (params.has('id'))
      return {
        type: 'datasource',
        action: 'invoke_online_drive_download_file',
        request: { ...base, request: { bucket: request.bucket, id: params.get('id') } },
        label,
      };
    return { type: 'datasource', action: 'invoke_online_drive_browse_files', request: { ...base, request }, label };
  }
  if (params.has('page_id')) {
    refuseOthers([...params.keys()], PAGE_PARAMETERS, label);
    const page = {
      workspace_id: params.get('workspace_id') ?? '',
      page_id: params.get('page_id'),
      type: params.get('type') ?? 'page',
    };
    return {
      type: 'datasource',
      action: 'invoke_online_document_datasource_get_page_content',
      request: { ...base, page },
      label,
    };
  }
  const declared = (datasource.parameters ?? []).map((parameter) => ({ ...parameter, options: optionsOf(parameter) }));
  const action =
    provider?.provider_type === 'website_crawl'
      ? 'invoke_website_datasource_get_crawl'
      : 'invoke_online_document_datasource_get_pages';
  return {
    type: 'datasource',
    action,
    request: { ...base, datasource_parameters: convertAll(declared, params, label, PAGE_PARAMETERS) },
    label,
  };
}
