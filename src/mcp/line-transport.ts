import type { Readable, Writable } from "node:stream";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/server";

const LONGEST_LINE_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;
const [PARSE_ERROR, INVALID_REQUEST] = [-32_700, -32_600];

/**
 * JSON-RPC, one message a line. A line that is no message is answered with an error, and the next one is read: nothing
 * that a client writes ends the server but the end of what it writes.
 */
export class LineTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport["onmessage"];
  /** Called with the id of each request whose answer is written. */
  onanswer?: ((request: string | number) => void) | undefined;
  readonly #input: Readable;
  readonly #output: Writable;
  #pieces: Buffer[] = [];
  #sizeBytes = 0;
  #isClosed = false;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
  }

  start(): Promise<void> {
    this.#input.on("data", (piece: Buffer) => this.#take(piece));
    this.#input.once("end", () => void this.close());
    this.#input.once("error", () => void this.close());
    // Whoever read our answers is gone.
    this.#output.once("error", () => void this.close());
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    return this.#write(message);
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#input.removeAllListeners("data").pause();
    this.onclose?.();
    return Promise.resolve();
  }

  #take(piece: Buffer): void {
    let from = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, from)) {
      this.#keep(piece.subarray(from, at));
      this.#finish();
      from = at + 1;
    }
    this.#keep(piece.subarray(from));
  }

  #keep(piece: Buffer): void {
    this.#sizeBytes += piece.length;
    // What is over the cap is counted and let go.
    if (this.#sizeBytes <= LONGEST_LINE_BYTES) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  #finish(): void {
    const [sizeBytes, line] = [this.#sizeBytes, Buffer.concat(this.#pieces).toString("utf8")];
    [this.#pieces, this.#sizeBytes] = [[], 0];
    if (sizeBytes > LONGEST_LINE_BYTES) {
      return this.#refuse(
        null,
        INVALID_REQUEST,
        `a message of ${sizeBytes} bytes is longer than ${LONGEST_LINE_BYTES}`,
      );
    }
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return this.#refuse(null, PARSE_ERROR, "this line is not JSON; write one JSON-RPC message a line");
    }
    const problem = problemOf(value);
    if (problem === undefined) this.onmessage?.(value as JSONRPCMessage);
    else this.#refuse(idOf(value), INVALID_REQUEST, problem);
  }

  #refuse(id: string | number | null, code: number, message: string): void {
    void this.#write({ jsonrpc: "2.0", id, error: { code, message } });
  }

  #write(message: unknown): Promise<void> {
    if (this.#isClosed || !this.#output.writable) return Promise.resolve();
    return new Promise((resolve) =>
      this.#output.write(`${JSON.stringify(message)}\n`, (error) => {
        const id = idOf(message);
        if (!error && id !== null) this.onanswer?.(id);
        resolve();
      }),
    );
  }
}

/** Why a value is no JSON-RPC message, if it is none. */
function problemOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return "batches are not part of MCP; write one message a line";
  if (typeof value !== "object" || value === null) return "a JSON-RPC message is an object";
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  if (jsonrpc !== "2.0") return 'a JSON-RPC message has "jsonrpc": "2.0"';
  if (id !== undefined && typeof id !== "string" && typeof id !== "number") return "an id is a text or a number";
  if (params !== undefined && (typeof params !== "object" || params === null || Array.isArray(params))) {
    return "params is an object";
  }
  const isAnswer = id !== undefined && ("result" in value || "error" in value);
  return typeof method === "string" || isAnswer ? undefined : "a JSON-RPC message has a method";
}

function idOf(value: unknown): string | number | null {
  const id = typeof value === "object" && value !== null ? (value as { readonly id?: unknown }).id : undefined;
  return typeof id === "string" || typeof id === "number" ? id : null;
}
