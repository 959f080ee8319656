/**
 * Records as they appear on the wire: names, types, zero values and rules, described once as data.
 *
 * Upstream binds requests, plugin answers and backwards invocations to typed records with a tolerant decoder (a missing or
 * mistyped field becomes its zero value) and then validates them with messages that name the record's fields. Clients and
 * recordings know these messages, and plugins rely on the zero values being there, so both are reproduced here; the same
 * description yields JSON Schemas for the OpenAPI document. General schema libraries neither keep the order of the messages
 * nor decode tolerantly, hence this small one (docs/wire/http-api.md#binding, docs/wire/runtime-protocol.md#to-the-plugin).
 *
 * Pure values: no I/O. Used by the daemon's HTTP routes, invocation and backwards invocation; the tables of package files in
 * plugin-package are made of the same primitives.
 */

export { bindQuery } from './bind-query.ts';
export { type Decoded, decode, zeroOf } from './decode.ts';
export { type DecodedExactly, decodeExactly } from './decode-exact.ts';
export { type DecodedRequest, decodeRequest } from './decode-request.ts';
export { decodeStrict, type StrictResult } from './decode-strict.ts';
export { answerSchemaOf, type JsonSchema, jsonSchemaOf } from './json-schema.ts';
export {
  decimalProblem,
  eq,
  Findings,
  formatViolations,
  holds,
  jsonTypeOf,
  lt,
  lte,
  type Measured,
  max,
  min,
  oneOf,
  type PathStep,
  pathText,
  pattern,
  plainDecimal,
  type Rule,
  required,
  rule,
  ruleSchema,
  type ScalarKind,
  scalars,
  type Violation,
  valueText,
  violationText,
} from './primitives/index.ts';
export {
  any,
  array,
  boolean,
  decimal,
  embed,
  type Field,
  type Infer,
  inPackage,
  int,
  nested,
  nullable,
  number,
  object,
  type RecordOf,
  type RecordType,
  record,
  string,
  type Type,
  withRules,
} from './types.ts';
export { validate } from './validate.ts';
