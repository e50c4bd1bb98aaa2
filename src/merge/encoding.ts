import type { TextVersions } from "./versions.ts";

/** Versions as characters, and how a result becomes bytes again. */
export interface DecodedVersions {
  readonly versions: TextVersions;
  /** From characters to one character a byte. */
  readonly encode: (text: string) => string;
}

/**
 * Reads versions that stand one character a byte as the characters they are, where all are valid UTF-8. In any other
 * encoding bytes stay bytes: what is not understood is kept as it is.
 *
 * @example
 * decodeVersions({ base: "", ours: "\u00c3\u00a9", theirs: "" }).versions.ours // "é"
 */
export function decodeVersions(versions: TextVersions): DecodedVersions {
  const { base, ours, theirs } = versions;
  const texts = [base ?? "", ours, theirs].map(decode);
  const [before, own, other] = texts;
  if (before === undefined || own === undefined || other === undefined) return { versions, encode: (text) => text };
  return {
    versions: { base: base === undefined ? undefined : before, ours: own, theirs: other },
    encode: (text) => Buffer.from(text, "utf8").toString("latin1"),
  };
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(bytes: string): string | undefined {
  if (!/[\u0080-\u00ff]/.test(bytes)) return bytes;
  try {
    return DECODER.decode(Buffer.from(bytes, "latin1"));
  } catch {
    return undefined;
  }
}
