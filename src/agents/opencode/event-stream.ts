/** Reads a stream of server-sent events whose data is JSON. */
export interface EventReader {
  push(piece: Uint8Array): void;
}

const LONGEST_EVENT = 64 * 1024 * 1024;

/** Passes on each event's data; what is no JSON, or longer than the cap, is told of and left out. */
export function createEventReader(onEvent: (event: unknown) => void, onMalformed: (text: string) => void): EventReader {
  const decoder = new TextDecoder();
  let [rest, data, isOverlong] = ["", "", false];

  function takeLine(line: string): void {
    if (line === "") return finish();
    if (!line.startsWith("data:")) return;
    const text = line.slice(line.startsWith("data: ") ? 6 : 5);
    data = data === "" ? text : `${data}\n${text}`;
  }

  function finish(): void {
    const text = data;
    data = "";
    if (text === "") return;
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      return onMalformed(text.slice(0, 200));
    }
    onEvent(event);
  }

  return {
    push(piece) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        // The end of a line whose beginning was let go.
        if (!isOverlong) takeLine(line.endsWith("\r") ? line.slice(0, -1) : line);
        isOverlong = false;
      }
      if (rest.length <= LONGEST_EVENT) return;
      onMalformed(rest.slice(0, 200));
      [rest, isOverlong] = ["", true];
    },
  };
}
