/** Draws the document. Texts become text nodes, never markup. */
export const script = String.raw`
const el = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== ''));
  return node;
};
/** Words in backticks become code. */
const inline = (text) => text.split('\x60').map((part, i) => (i % 2 ? el('code', {}, part) : part));
const prose = (text) => (text || '').split('\n\n').filter(Boolean).map((part) => el('p', {}, inline(part)));
/** Where the API begins: behind a proxy this page may stand below a prefix, and with or without a slash behind it. */
const base = location.origin + location.pathname.replace(/\/docs\/?$/, '');
const nameOf = (ref) => ref.split('/').pop();

function typeOf(schema) {
  if (schema.$ref) return el('a', { href: '#schema-' + nameOf(schema.$ref) }, nameOf(schema.$ref));
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const either = schema.oneOf || schema.anyOf;
  if (either) return either.flatMap((one, i) => (i ? [' | ', typeOf(one)] : [typeOf(one)])).flat();
  if (schema.type === 'array' || (Array.isArray(schema.type) && schema.type.includes('array')))
    return ['list of ', typeOf(schema.items || {}), Array.isArray(schema.type) ? ' | null' : ''].flat();
  const type = schema.type ? [].concat(schema.type).join(' | ') : 'anything';
  return schema.format ? type + ' (' + schema.format + ')' : type;
}

const limits = (schema) =>
  ['minimum', 'maximum', 'maxLength', 'maxItems', 'pattern']
    .filter((key) => schema[key] !== undefined)
    .map((key) => ', ' + key + ' ' + schema[key]).join('');

function fields(schema) {
  const inner = schema.properties ? schema : schema.items;
  const one = inner && inner.oneOf ? inner.oneOf : undefined;
  if (one) return one.map(fields).filter(Boolean);
  if (!inner || !inner.properties) return inner && inner !== schema ? fields(inner) : undefined;
  return el('ul', { class: 'fields' }, Object.entries(inner.properties).map(([name, field]) =>
    el('li', {},
      el('code', (inner.required || []).includes(name) ? { class: 'required' } : {}, name),
      ' ', el('span', { class: 'type' }, typeOf(field), limits(field)),
      field.description ? [' \u2013 ', ...inline(field.description)] : '',
      field.$ref ? '' : fields(field))));
}

const block = (title, ...children) => [el('h4', {}, title), ...children.flat(Infinity).filter(Boolean)];
const sample = (title, text) => el('details', {}, el('summary', {}, title), el('pre', {}, el('code', {}, text)));
const pretty = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

function parameters(operation, where, title) {
  const own = (operation.parameters || []).filter((parameter) => parameter.in === where);
  if (!own.length) return [];
  return block(title, el('ul', { class: 'fields' }, own.map((parameter) => el('li', {},
    el('code', parameter.required ? { class: 'required' } : {}, parameter.name), ' ',
    el('span', { class: 'type' }, typeOf(parameter.schema), limits(parameter.schema)),
    parameter.description ? [' \u2013 ', ...inline(parameter.description)] : ''))));
}

function curl(doc, method, path, operation) {
  const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
  const query = (operation.parameters || []).filter((p) => p.in === 'query' && p.required)
    .map((p) => p.name + '=' + (p.name === 'page' ? 1 : p.name === 'page_size' ? 10 : '\u2026')).join('&');
  const lines = ['curl -N' + (method === 'get' ? '' : ' -X ' + method.toUpperCase()) + ' ' +
    quote(base + path.replace('{tenant_id}', '00000000-0000-4000-8000-000000000001') + (query ? '?' + query : ''))];
  for (const scheme of operation.security.flatMap(Object.keys))
    lines.push('-H "' + doc.components.securitySchemes[scheme].name + ': $KEY"');
  for (const p of operation.parameters || []) if (p.in === 'header') lines.push('-H ' + quote(p.name + ': \u2026'));
  const content = (operation.requestBody || {}).content || {};
  const json = content['application/json'];
  const form = content['multipart/form-data'];
  if (json) lines.push("-H 'Content-Type: application/json'", '-d ' + quote(JSON.stringify(json.example || {})));
  if (form) for (const [name, field] of Object.entries(form.schema.properties)) lines.push('-F ' + name + (field.enum ? '=false' : '=@file'));
  return lines.join(' \\\n  ');
}

function article(doc, method, path, operation) {
  const bodies = Object.entries((operation.requestBody || {}).content || {});
  return el('article', { id: operation.operationId },
    el('h3', {}, inline(operation.summary)),
    el('div', { class: 'path' }, el('span', { class: 'method' }, method.toUpperCase()), ' ', el('code', {}, path)),
    prose(operation.description),
    parameters(operation, 'path', 'In the path'),
    parameters(operation, 'query', 'Query'),
    parameters(operation, 'header', 'Headers'),
    bodies.map(([type, body]) => block('Request, ' + type, body.schema ? [el('span', { class: 'type' }, typeOf(body.schema)), fields(body.schema)] : [])),
    Object.entries(operation.responses).map(([status, response]) => {
      if (response.$ref) return [];
      return Object.entries(response.content || {}).map(([type, content]) => {
        const schema = content['x-event-schema'] || content.schema;
        const data = schema && schema.oneOf ? schema.oneOf[0].properties.data : schema;
        const label = content['x-event-schema'] ? ', data of each event' : schema && schema.oneOf ? ', data' : '';
        return block('Answer ' + status + ', ' + type + label,
          data ? [el('span', { class: 'type' }, typeOf(data)), data.$ref ? '' : fields(data)] : [inline(response.description)].flat(),
          content.example ? [sample('Example', pretty(content.example))] : []);
      });
    }),
    el('h4', {}, 'Errors'),
    el('div', { class: 'type' }, Object.entries(operation.responses).filter(([, response]) => response.$ref).map(([status, response]) =>
      el('div', {}, status + ': ' + doc.components.responses[nameOf(response.$ref)].description))),
    sample('curl', curl(doc, method, path, operation)));
}

/** Without what all paths of a tenant begin with. */
const short = (path) => path.replace('/plugin/{tenant_id}', '') || path;

function draw(doc) {
  const main = document.getElementById('main');
  const contents = document.getElementById('contents');
  main.replaceChildren(el('h1', {}, doc.info.title + ' ' + doc.info.version), ...prose(doc.info.description),
    el('p', {}, 'The document behind this page: ', el('a', { href: base + '/openapi.json' }, 'openapi.json')));
  const all = Object.entries(doc.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  for (const tag of doc.tags) {
    const own = all.filter(({ operation }) => operation.tags.includes(tag.name));
    const group = el('section', {}, el('h2', {}, tag.name), own.map(({ operation, method, path }) =>
      el('a', { href: '#' + operation.operationId, title: operation.summary.replaceAll('\x60', '') },
        el('span', { class: 'method ' + method }, method.toUpperCase()), ' ', el('span', { class: 'where' }, short(path)),
        el('span', { class: 'what' }, operation.summary.replaceAll('\x60', '')))));
    contents.append(group);
    main.append(el('h2', {}, tag.name), ...prose(tag.description),
      ...own.map(({ method, path, operation }) => article(doc, method, path, operation)));
  }
  const errors = doc.components.schemas.ErrorEnvelope['x-errors'];
  main.append(el('h2', {}, 'Errors'), el('table', {},
    el('tr', {}, ['error_type', 'code', 'HTTP', 'Meaning'].map((title) => el('th', {}, title))),
    errors.map((error) => el('tr', {}, [error.error_type, error.code, error.http_status, error.meaning].map((cell) => el('td', {}, String(cell)))))));
  main.append(el('h2', {}, 'Schemas'), ...Object.entries(doc.components.schemas).map(([name, schema]) =>
    el('article', { id: 'schema-' + name }, el('h3', {}, name), prose(schema.description), fields(schema) || typeOf(schema))));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

/** On a small screen the list of operations covers the page, so it is open only while it is wanted. */
const isSmall = () => matchMedia('(max-width: 50rem)').matches;
const menu = document.getElementById('menu');
menu.open = !isSmall();
menu.addEventListener('click', (event) => { if (isSmall() && event.target.closest('a')) menu.open = false; });
document.querySelector('input').addEventListener('input', (event) => {
  menu.open = true;
  const wanted = event.target.value.toLowerCase();
  for (const link of document.querySelectorAll('nav a'))
    link.hidden = !(link.textContent + link.title + link.hash).toLowerCase().includes(wanted);
});
fetch(base + '/openapi.json').then((answer) => answer.json()).then(draw, (error) => {
  document.getElementById('main').replaceChildren(el('p', {}, 'The description could not be read: ' + error));
});
`;
