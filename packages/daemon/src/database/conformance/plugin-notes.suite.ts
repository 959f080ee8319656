import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { UnderTest } from './fixtures.ts';

export function pluginNoteConformance(on: UnderTest): void {
  describe('plugin notes', () => {
    test('are found by kind and subject, the last one counts', async () => {
      const { pluginNotes } = on.database;
      const subject = `acme/${randomUUID()}`;
      expect(await pluginNotes.find('policy', subject)).toBeUndefined();
      await pluginNotes.write('policy', subject, '{"min":1}');
      await pluginNotes.write('policy', subject, '{"min":2,"text":"ü €"}');
      await pluginNotes.write('previous', subject, 'another');
      expect(await pluginNotes.find('policy', subject)).toBe('{"min":2,"text":"ü €"}');
      expect((await pluginNotes.list('policy')).get(subject)).toBe('{"min":2,"text":"ü €"}');
      expect([await pluginNotes.delete('policy', subject), await pluginNotes.delete('policy', subject)]).toEqual([
        true,
        false,
      ]);
      expect([await pluginNotes.find('policy', subject), await pluginNotes.find('previous', subject)]).toEqual([
        undefined,
        'another',
      ]);
    });

    test('are written by several at once', async () => {
      const { pluginNotes } = on.database;
      const subject = randomUUID();
      await Promise.all(Array.from({ length: 8 }, (_, n) => pluginNotes.write('policy', subject, String(n))));
      expect(await pluginNotes.find('policy', subject)).toMatch(/^[0-7]$/);
    });
  });
}
