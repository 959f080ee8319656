import wheels from './known-wheels.json' with { type: 'json' };

/** SHA-256 in lower-case hex by the name of the wheel. */
export type KnownWheels = Readonly<Record<string, string>>;

/** The wheels of uv this version takes: several versions, because mirrors lag behind. Written by `npm run uv:pin`. */
export const KNOWN_WHEELS: KnownWheels = wheels;

/** The versions among them, newest first. */
export function knownVersions(known: KnownWheels): readonly string[] {
  const versions = Object.keys(known).map((name) => name.split('-')[1] ?? '');
  return [...new Set(versions)].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}
