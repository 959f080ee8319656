import type { I18n } from '@plugin-daemon/plugin-package';
import type { PresentedDeclaration } from '../../installation/index.ts';

type Facts = PresentedDeclaration['facts'];

/**
 * The filter of the list by category (docs/wire/http-api.md#lists-and-packages): the category, any of the tags, and the text in plugin id,
 * name, label or description, regardless of case.
 */
export function matcher(
  category: string,
  query: string,
  tags: readonly string[],
  language: string,
): (pluginId: string, facts: Facts) => boolean {
  const text = query.toLowerCase();
  return (pluginId, facts) => {
    if (facts.category !== category) return false;
    if (tags.length > 0 && !facts.tags.some((tag) => tags.includes(tag))) return false;
    if (text === '') return true;
    const candidates = [pluginId, facts.name, localized(facts.label, language), localized(facts.description, language)];
    return candidates.some((candidate) => candidate.toLowerCase().includes(text));
  };
}

function localized(value: I18n, language: string): string {
  const found = language === 'ja_JP' || language === 'zh_Hans' || language === 'pt_BR' ? value[language] : undefined;
  return found === undefined || found === '' ? value.en_US : found;
}
