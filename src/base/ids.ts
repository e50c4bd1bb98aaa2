import { createHash, randomBytes } from "node:crypto";

/** Where all randomness comes from: fills and returns `size` bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** The machine's own randomness. */
export const systemRandom: RandomBytes = (size) => randomBytes(size);

// Crockford's alphabet: no letter that is mistaken for a digit.
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A random name of `length` characters (5 bits each), safe in paths, refs and shells.
 * It starts with a letter, so that no tool takes it for a number or an option.
 *
 * @example
 * newId(systemRandom, 12) // "k3v9x2mq7c0d"
 */
export function newId(random: RandomBytes, length = 12): string {
  const bytes = random(length);
  let id = "";
  for (let index = 0; index < length; index += 1) {
    const value = bytes[index] ?? 0;
    id += index === 0 ? ALPHABET[10 + (value % 22)] : ALPHABET[value & 31];
  }
  return id;
}

/** The name that a text always gets: whoever names the same thing again names it the same. */
export function idFrom(text: string, length = 12): string {
  const digest = createHash("sha256").update(text).digest();
  return newId((size) => digest.subarray(0, size), length);
}

/** A random name of the kind that other programs ask for: a UUID, version 4. */
export function newUuid(random: RandomBytes): string {
  const bytes = Uint8Array.from(random(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
