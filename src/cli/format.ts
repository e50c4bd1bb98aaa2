/** A duration for people: `340 ms`, `4.2 s`, `3 m 07 s`, `2 h 05 m`. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  // What would be rounded up to a whole unit is one.
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.max(60, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`;
}

/** How long ago something was: `just now`, `5 m ago`, `3 d ago`. */
export function formatAge(ageMs: number): string {
  if (ageMs < 10_000) return "just now";
  if (ageMs < 60_000) return `${Math.floor(ageMs / 1000)} s ago`;
  if (ageMs < 3_600_000) return `${Math.floor(ageMs / 60_000)} m ago`;
  if (ageMs < 86_400_000) return `${Math.floor(ageMs / 3_600_000)} h ago`;
  return `${Math.floor(ageMs / 86_400_000)} d ago`;
}

/** A size for people: `512 B`, `3.4 KiB`, `1.2 GiB`. */
export function formatSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [bytes, 0];
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `1 file`, `3 files`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** How many columns a text takes on a terminal. Escape sequences take none, wide characters two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text.replace(COLOURS, "")) {
    if (ZERO_WIDTH.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/**
 * A text cut to so many columns, with an ellipsis where something is missing. Colours are kept and closed; a tab,
 * whose width depends on where it stands, becomes a space.
 */
export function fit(text: string, columns: number): string {
  const flat = text.replaceAll("\t", " ");
  if (widthOf(flat) <= columns) return flat;
  if (columns < 1) return "";
  let width = 0;
  let kept = "";
  for (const part of flat.split(SPLIT_COLOURS)) {
    if (part.startsWith("\u001b")) {
      kept += part;
      continue;
    }
    for (const character of part) {
      const own = widthOf(character);
      if (width + own > columns - 1) return `${kept}…${kept.includes("\u001b") ? "\u001b[0m" : ""}`;
      kept += character;
      width += own;
    }
  }
  return kept;
}

const COLOURS = /\u001b\[[0-9;:]*m/g;
const SPLIT_COLOURS = /(\u001b\[[0-9;:]*m)/;
const ZERO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\ua960-\ua97f\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Rows in columns two spaces apart, without lines; the last column is not padded. */
export function formatTable(rows: readonly (readonly string[])[], indent = ""): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === row.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)),
      );
      return (indent + cells.join("  ")).trimEnd();
    })
    .join("\n");
}
