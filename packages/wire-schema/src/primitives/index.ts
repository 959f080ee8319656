/**
 * What every description of records is made of, here and in the tables of package files: the kinds of single values with upstream's
 * names for them, the rules, and what is told of a broken rule. Pure values; called by the decoders and validators above.
 */
export { decimalProblem, plainDecimal } from './decimal.ts';
export { type Measured, ruleSchema } from './rule-schema.ts';
export { eq, holds, isZero, lt, lte, max, min, oneOf, pattern, type Rule, required, rule } from './rules.ts';
export { jsonTypeOf, MAX_INT, type ScalarKind, scalars } from './scalars.ts';
export { valueText } from './value-text.ts';
export { Findings, formatViolations, type PathStep, pathText, type Violation, violationText } from './violations.ts';
