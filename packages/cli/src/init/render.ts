/** Fills template files: `{{name}}` as it is, `{{yaml name}}`, `{{py name}}` and `{{toml name}}` quoted for their language. */
const PLACEHOLDER = /\{\{(?:(yaml|py|toml) )?([a-z_]+)\}\}/g;

/** A JSON string is a valid double-quoted YAML scalar, TOML basic string and Python literal. */
function quoted(value: string): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A YAML scalar, plain where that is safe beyond doubt. */
export function yamlScalar(value: string): string {
  const plain =
    /^[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n|nan|inf)$/i.test(value);
  return plain ? value : quoted(value);
}

export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(PLACEHOLDER, (placeholder, kind: string | undefined, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`template uses the unknown value ${placeholder}`);
    if (kind === undefined) return value;
    return kind === 'yaml' ? yamlScalar(value) : quoted(value);
  });
}
