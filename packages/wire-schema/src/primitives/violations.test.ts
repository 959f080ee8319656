import { expect, test } from 'vitest';
import { Findings, formatViolations, violationText } from './violations.ts';

/** Goes down a path, reports, and comes back. */
function reported(findings: Findings, ...steps: readonly (number | string | readonly [string, string])[]): void {
  for (const step of steps) {
    if (typeof step === 'number') findings.enterElement(step);
    else if (typeof step === 'string') findings.enter(step);
    else findings.enter(...step);
  }
  findings.report('required');
  for (const _ of steps) findings.leave();
}

test('a violation leads to its value by keys, and says where it is in the words of messages', () => {
  const findings = new Findings('Request');
  reported(findings, 'Embedded', ['Items', 'items'], 2, ['Name', 'name']);
  expect(findings.violations).toEqual([
    {
      tag: 'required',
      label: 'Name',
      path: [
        { label: 'Request' },
        { label: 'Embedded' },
        { label: 'Items', key: 'items' },
        { label: '[2]', key: 2 },
        { label: 'Name', key: 'name' },
      ],
    },
  ]);
  expect(findings.violations.map(violationText)).toEqual([
    "Key: 'Request.Embedded.Items[2].Name' Error:Field validation for 'Name' failed on the 'required' tag",
  ]);
});

test('an element is named with its list, also one of a list in a list', () => {
  const findings = new Findings('');
  reported(findings, ['Ids', 'ids'], 0);
  reported(findings, ['Rows', 'rows'], 1, 3);
  expect(formatViolations(findings.violations)).toBe(
    "Key: 'Ids[0]' Error:Field validation for 'Ids[0]' failed on the 'required' tag\n" +
      "Key: 'Rows[1][3]' Error:Field validation for 'Rows[1][3]' failed on the 'required' tag",
  );
});

test('a key that looks like an index or a path is a name like any other', () => {
  const findings = new Findings('R');
  reported(findings, ['[0]', '[0]'], ['a.b', 'a.b']);
  expect(findings.violations[0]?.path.map((step) => step.key)).toEqual([undefined, '[0]', 'a.b']);
});
