/**
 * Text that came from a task, a file or the network, made safe to print.
 *
 * Escape sequences, carriage returns and other control characters could move the cursor and forge our own lines;
 * invisible direction marks could reorder them. All of them go; tabs stay.
 */
export function printable(text: string): string {
  return text.replace(ESCAPE_SEQUENCES, "").replace(CONTROLS, "");
}

/** Like {@link printable}, but colours stay, and are switched off again at the end. */
export function printableWithColour(text: string): string {
  let coloured = false;
  const kept = text
    .replace(ESCAPE_SEQUENCES, (sequence) => {
      if (!COLOUR.test(sequence)) return "";
      coloured = true;
      return sequence.replace("\u001b", COLOUR_STANDIN);
    })
    .replace(CONTROLS, "")
    .replaceAll(COLOUR_STANDIN, "\u001b");
  return coloured ? `${kept}\u001b[0m` : kept;
}

/** One JSON document on one line, in which whatever a terminal could obey or hide is written as an escape. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(CONTROLS, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// A private-use character stands in for ESC while controls are dropped; it is itself dropped from the input first.
const COLOUR_STANDIN = "\uf8ff";
// CSI, OSC, DCS/APC/PM/SOS strings, and two-character escapes; each also in its 8-bit form.
const ESCAPE_SEQUENCES =
  /\uf8ff|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b[PX^_]|[\u0090\u0098\u009e\u009f])[^\u001b\u009c]*(?:\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/gu;
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;
const COLOUR = /^\u001b\[[0-9;:]*m$/u;
