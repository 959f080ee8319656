/** The page's script, run on the real document with as much of a browser as it uses. */
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { describedRoutes, openApiDocument } from '../index.ts';
import { page } from './index.ts';
import { script } from './script.ts';

class Node {
  readonly tag: string;
  readonly attributes: Record<string, string> = {};
  readonly children: (Node | string)[] = [];
  hidden = false;
  #listener: ((event: object) => void) | undefined;

  constructor(tag: string) {
    this.tag = tag;
  }

  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }

  append(...nodes: (Node | string)[]): void {
    for (const node of nodes)
      if (!(node instanceof Node) && typeof node !== 'string') throw new TypeError(`${String(node)} is no node`);
    this.children.push(...nodes);
  }

  replaceChildren(...nodes: (Node | string)[]): void {
    this.children.length = 0;
    this.append(...nodes);
  }

  addEventListener(_type: string, listener: (event: object) => void): void {
    this.#listener = listener;
  }

  type(value: string): void {
    this.#listener?.({ target: { value } });
  }

  get textContent(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.textContent)).join('');
  }

  get title(): string {
    return this.attributes['title'] ?? '';
  }

  get hash(): string {
    return this.attributes['href'] ?? '';
  }

  all(tag: string): Node[] {
    return this.children.flatMap((child) =>
      child instanceof Node ? [...(child.tag === tag ? [child] : []), ...child.all(tag)] : [],
    );
  }
}

async function draw(answer: () => Promise<unknown>, pathname = '/docs', isSmall = false) {
  const asked: string[] = [];
  const main = new Node('main');
  const contents = new Node('div');
  const input = new Node('input');
  const menu = Object.assign(new Node('details'), { open: true });
  const context = createContext({
    document: {
      createElement: (tag: string) => new Node(tag),
      getElementById: (id: string) => ({ main, contents, menu })[id],
      querySelector: () => input,
      querySelectorAll: () => contents.all('a'),
    },
    location: { origin: 'http://127.0.0.1:5002', pathname, hash: '' },
    matchMedia: () => ({ matches: isSmall }),
    fetch: async (url: string) => {
      asked.push(url);
      return { json: answer };
    },
  });
  runInContext(script, context);
  await new Promise((resolve) => setImmediate(resolve));
  return { main, contents, input, menu, asked };
}

const description = openApiDocument(describedRoutes());

test('every operation, schema and error is on the page', async () => {
  const { main, contents } = await draw(async () => JSON.parse(JSON.stringify(description)));
  const ids = main.all('article').map((article) => article.attributes['id']);
  const operations = Object.values(description.paths).flatMap((methods) => Object.values(methods));
  for (const { operationId } of operations) expect(ids).toContain(operationId);
  for (const name of Object.keys(description.components.schemas)) expect(ids).toContain(`schema-${name}`);
  expect(contents.all('a')).toHaveLength(operations.length);
  expect(main.textContent).toContain('PluginPermissionDeniedError');
  expect(main.textContent).not.toMatch(/undefined|\[object/);
  // References lead somewhere.
  for (const { hash } of main.all('a')) if (hash.startsWith('#')) expect(ids).toContain(hash.slice(1));
});

test('a call can be copied', async () => {
  const { main } = await draw(async () => JSON.parse(JSON.stringify(description)));
  const article = main.all('article').find(({ attributes }) => attributes['id'] === 'invokeTool');
  const command = article?.all('pre').at(-1)?.textContent;
  expect(command).toContain("curl -N -X POST 'http://127.0.0.1:5002/plugin/00000000-");
  expect(command).toContain('-H "X-Api-Key: $KEY"');
  expect(command).toContain('"tool":"report"');
});

test.each([
  ['/docs', ''],
  ['/docs/', ''],
  ['/tools/daemon/docs', '/tools/daemon'],
  ['/tools/daemon/docs/', '/tools/daemon'],
])('at %s the description and the samples keep the prefix', async (pathname, prefix) => {
  const { main, asked } = await draw(async () => JSON.parse(JSON.stringify(description)), pathname);
  expect(asked).toEqual([`http://127.0.0.1:5002${prefix}/openapi.json`]);
  const article = main.all('article').find(({ attributes }) => attributes['id'] === 'invokeTool');
  expect(article?.all('pre').at(-1)?.textContent).toContain(`'http://127.0.0.1:5002${prefix}/plugin/00000000-`);
});

test('the list shows method and path, and is closed on a small screen', async () => {
  const { contents, menu } = await draw(async () => JSON.parse(JSON.stringify(description)));
  const link = contents.all('a').find(({ hash }) => hash === '#installPlugins');
  expect(link?.textContent).toMatch(/^POST \/management\/install\/identifiers/);
  expect(menu.open).toBe(true);
  expect((await draw(async () => description, '/docs', true)).menu.open).toBe(false);
});

test('the search leaves what fits', async () => {
  const { contents, input } = await draw(async () => JSON.parse(JSON.stringify(description)));
  input.type('debugging');
  const left = contents.all('a').filter(({ hidden }) => !hidden);
  expect(left.map(({ hash }) => hash)).toEqual(['#getDebuggingKey', '#rotateDebuggingKey']);
});

test('what cannot be read is said', async () => {
  const { main } = await draw(() => Promise.reject(new Error('no network')));
  expect(main.textContent).toContain('no network');
});

test('the script stays inside its element', () => {
  expect(page.split('</script>')).toHaveLength(2);
  expect(page.split('</style>')).toHaveLength(2);
});
