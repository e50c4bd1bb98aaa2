const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** What a duration looks like: `500ms`, `10s`, `1.5m`, `2h`, `7d`. */
export const DURATION_PATTERN = /^\d+(\.\d+)?(ms|s|m|h|d)$/;
/** What a size looks like: `512kb`, `64mb`, `1gb`. */
export const SIZE_PATTERN = /^\d+(\.\d+)?(b|kb|mb|gb)$/i;

/** A duration such as `1.5m` in milliseconds; the text has been checked against {@link DURATION_PATTERN}. */
export function durationMs(text: string): number {
  return parseQuantity(text, DURATION_UNITS);
}

/** A size such as `64mb` in bytes; the text has been checked against {@link SIZE_PATTERN}. */
export function sizeBytes(text: string): number {
  return parseQuantity(text.toLowerCase(), SIZE_UNITS);
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number {
  const [, number = "0", unit = ""] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Math.round(Number(number) * (units[unit] ?? 1));
}
