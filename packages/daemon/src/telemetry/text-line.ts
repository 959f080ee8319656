type Line = { readonly [key: string]: unknown };

const isLine = (value: unknown): value is Line => typeof value === 'object' && value !== null && !Array.isArray(value);
const known = new Set(['ts', 'severity', 'service', 'component', 'message', 'trace_id', 'span_id', 'identity']);

/**
 * A JSON line as text for people: `<ts> <SEVERITY> dify-plugin-daemon [component] [trace_id=…] [tenant_id=…] [user_id=…]
 * <message> [key=value …]`, a stack on the lines after it.
 */
export function textLine(json: string, timestamp: (time: Date) => string): string {
  const line: unknown = JSON.parse(json);
  if (!isLine(line)) return json;
  const identity = isLine(line.identity) ? line.identity : {};
  const { attributes, stack_trace: stack, ...rest } = line;
  const words = [timestamp(new Date(String(line.ts))), String(line.severity), String(line.service)];
  if (line.component !== undefined) words.push(String(line.component));
  for (const [key, value] of Object.entries({
    trace_id: line.trace_id,
    tenant_id: identity.tenant_id,
    user_id: identity.user_id,
  })) {
    if (value !== undefined && value !== '') words.push(`${key}=${show(value)}`);
  }
  words.push(String(line.message ?? ''));
  for (const [key, value] of Object.entries(rest)) if (!known.has(key)) words.push(`${key}=${show(value)}`);
  if (isLine(attributes)) for (const [key, value] of Object.entries(attributes)) words.push(`${key}=${show(value)}`);
  return `${words.join(' ')}\n${typeof stack === 'string' ? `${stack}\n` : ''}`;
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value !== 'string' || /^[^\s"]+$/.test(text) ? text : JSON.stringify(text);
}
