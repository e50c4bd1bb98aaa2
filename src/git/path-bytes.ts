/**
 * Git's paths are bytes, most often UTF-8. As text, each byte that is part of no UTF-8 character becomes one of 128
 * code units that no text has by itself (U+DC80 to U+DCFF), so that every path comes back as the bytes it was.
 */

const ASCII = /^[\0-\x7f]*$/;

/** The text of a path whose bytes are the characters of a latin1 string. */
export function decodePath(bytes: string): string {
  if (ASCII.test(bytes)) return bytes;
  const raw = Buffer.from(bytes, "latin1");
  const text = raw.toString("utf8");
  if (!text.includes("\ufffd") || Buffer.from(text).equals(raw)) return text;
  let decoded = "";
  for (let at = 0; at < raw.length;) {
    const character = characterAt(raw, at);
    decoded += character ?? String.fromCharCode(0xdc00 + (raw[at] ?? 0));
    at += character === undefined ? 1 : Buffer.byteLength(character);
  }
  return decoded;
}

/** The bytes of a path, as the characters of a latin1 string. */
export function encodePath(path: string): string {
  if (ASCII.test(path)) return path;
  const parts = path.split(/([\udc80-\udcff])/u);
  return parts.map((part, index) => (index % 2 === 0 ? utf8Bytes(part) : byteOf(part))).join("");
}

function characterAt(raw: Buffer, at: number): string | undefined {
  for (let length = 1; length <= 4 && at + length <= raw.length; length += 1) {
    const piece = raw.subarray(at, at + length);
    const text = piece.toString("utf8");
    if (Buffer.from(text).equals(piece)) return text;
  }
  return undefined;
}

function utf8Bytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function byteOf(unit: string): string {
  return String.fromCharCode(unit.charCodeAt(0) - 0xdc00);
}
