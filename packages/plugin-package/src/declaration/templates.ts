import { PackageError } from '../errors.ts';
import type { I18n, Json } from './types.ts';

/** What `use_template` fills into a parameter rule where the rule says nothing (docs/wire/packages.md#model-rules-and-templates). */
export interface ParameterTemplate {
  readonly type: string;
  readonly default: Json;
  readonly min: number | null;
  readonly max: number | null;
  readonly precision: number | null;
  readonly options: readonly string[] | null;
  readonly help: Readonly<I18n>;
}

const penalty = { type: 'float', default: 0, min: 0, max: 1, precision: 2, options: null };
const plainText = { type: 'string', default: null, min: null, max: null, precision: null };

/** The texts are wire data: Dify shows them as they are. */
export const PARAMETER_TEMPLATES: ReadonlyMap<string, ParameterTemplate> = new Map<string, ParameterTemplate>([
  [
    'temperature',
    {
      ...penalty,
      help: {
        en_US:
          'Controls randomness. Lower temperature results in less random completions. As the temperature approaches zero, the model will become deterministic and repetitive. Higher temperature results in more random completions.',
        ja_JP:
          '温度はランダム性を制御します。温度が低いほどランダムな完成が少なくなります。温度がゼロに近づくと、モデルは決定論的で繰り返しになります。温度が高いほどランダムな完成が多くなります。',
        zh_Hans:
          '温度控制随机性。较低的温度会导致较少的随机完成。随着温度接近零，模型将变得确定性和重复性。较高的温度会导致更多的随机完成。',
        pt_BR:
          'A temperatura controla a aleatoriedade. Menores temperaturas resultam em menos conclusões aleatórias. À medida que a temperatura se aproxima de zero, o modelo se tornará determinístico e repetitivo. Temperaturas mais altas resultam em mais conclusões aleatórias.',
      },
    },
  ],
  [
    'top_p',
    {
      ...penalty,
      default: 1,
      help: {
        en_US:
          'Controls diversity via nucleus sampling: 0.5 means half of all likelihood-weighted options are considered.',
        ja_JP: '核サンプリングを通じて多様性を制御します：0.5は、すべての可能性加权オプションの半分を考慮します。',
        zh_Hans: '通过核心采样控制多样性：0.5表示考虑了一半的所有可能性加权选项。',
        pt_BR:
          'Controla a diversidade via amostragem de núcleo: 0.5 significa que metade das opções com maior probabilidade são consideradas.',
      },
    },
  ],
  [
    'top_k',
    {
      type: 'int',
      default: 50,
      min: 1,
      max: 100,
      precision: 0,
      options: null,
      help: {
        en_US: 'Limits the number of tokens to consider for each step by keeping only the k most likely tokens.',
        zh_Hans: '通过只保留每一步中最可能的 k 个标记来限制要考虑的标记数量。',
      },
    },
  ],
  [
    'presence_penalty',
    {
      ...penalty,
      help: {
        en_US: 'Applies a penalty to the log-probability of tokens already in the text.',
        ja_JP: 'テキストに既に存在するトークンの対数確率にペナルティを適用します。',
        zh_Hans: '对文本中已有的标记的对数概率施加惩罚。',
        pt_BR: 'Aplica uma penalidade à probabilidade logarítmica de tokens já presentes no texto.',
      },
    },
  ],
  [
    'frequency_penalty',
    {
      ...penalty,
      help: {
        en_US: 'Applies a penalty to the log-probability of tokens that appear in the text.',
        ja_JP: 'テキストに出現するトークンの対数確率にペナルティを適用します。',
        zh_Hans: '对文本中出现的标记的对数概率施加惩罚。',
        pt_BR: 'Aplica uma penalidade à probabilidade logarítmica de tokens que aparecem no texto.',
      },
    },
  ],
  [
    'max_tokens',
    {
      type: 'int',
      default: 64,
      min: 1,
      max: 2048,
      precision: 0,
      options: null,
      help: {
        en_US:
          'Specifies the upper limit on the length of generated results. If the generated results are truncated, you can increase this parameter.',
        ja_JP:
          '生成結果の長さの上限を指定します。生成結果が切り捨てられた場合は、このパラメータを大きくすることができます。',
        zh_Hans: '指定生成结果长度的上限。如果生成结果截断，可以调大该参数。',
        pt_BR:
          'Especifica o limite superior para o comprimento dos resultados gerados. Se os resultados gerados forem truncados, você pode aumentar este parâmetro.',
      },
    },
  ],
  [
    'response_format',
    {
      ...plainText,
      options: ['JSON', 'XML'],
      help: {
        en_US:
          'Set a response format, ensure the output from llm is a valid code block as possible, such as JSON, XML, etc.',
        ja_JP: '応答形式を設定します。llmの出力が可能な限り有効なコードブロックであることを確認します。',
        zh_Hans: '设置一个返回格式，确保llm的输出尽可能是有效的代码块，如JSON、XML等',
        pt_BR:
          'Defina um formato de resposta para garantir que a saída do llm seja um bloco de código válido o mais possível, como JSON, XML, etc.',
      },
    },
  ],
  [
    'json_schema',
    {
      ...plainText,
      options: null,
      help: {
        en_US: 'Set a response json schema will ensure LLM to adhere it.',
        zh_Hans: '设置返回的json schema，llm将按照它返回',
      },
    },
  ],
]);

const FILLED = ['type', 'default', 'min', 'max', 'precision'] as const;

/**
 * Makes a decoded parameter rule whole: label from the name, then the template's values for whatever is null.
 * A template's own label is never used, because the name has filled that place before.
 * @throws PackageError `use_template <name> not found`
 */
export function applyTemplate(rule: Record<string, unknown>): void {
  const label = rule['label'];
  if (!isI18n(label) || label.en_US === '') rule['label'] = { en_US: rule['name'] };
  const name = rule['use_template'];
  if (typeof name !== 'string' || name === '') return;
  const template = PARAMETER_TEMPLATES.get(name);
  if (template === undefined) {
    throw new PackageError(`use_template ${name} not found`, { detail: { tag: 'unknown-template', name } });
  }
  for (const key of FILLED) rule[key] ??= template[key];
  rule['help'] ??= { ...template.help };
  if (template.options !== null) rule['options'] ??= [...template.options];
}

function isI18n(value: unknown): value is I18n {
  return typeof value === 'object' && value !== null && 'en_US' in value;
}
