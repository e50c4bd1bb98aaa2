import { AnabranchError } from "../../base/errors.ts";
import { fieldsOf, textOf } from "../fields.ts";
import { createEventReader } from "./event-stream.ts";

/** Speaks to one server over HTTP. */
export interface Client {
  /** @throws {RefusedCall} when the server refuses; `AGENT_GONE` when it does not answer */
  call(method: "GET" | "POST" | "PATCH", path: string, call?: Call): Promise<unknown>;
  /** Passes on each event until the stream ends; resolves then. It is open when `onOpen` is called. */
  listen(listener: StreamListener): Promise<void>;
}

interface Call {
  readonly directory?: string;
  readonly body?: unknown;
}

/** Told what comes on the stream of events. */
interface StreamListener {
  readonly onOpen: () => void;
  readonly onEvent: (event: unknown) => void;
  /** Told of what is no event. */
  readonly onMalformed: (text: string) => void;
}

/** The server's own refusal of a call. */
export class RefusedCall extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "RefusedCall";
    this.status = status;
  }
}

/** Speaks to the server at an address on this machine. */
export function createClient(address: string, password: string): Client {
  const authorization = `Basic ${Buffer.from(`opencode:${password}`).toString("base64")}`;
  return {
    async call(method, path, { directory, body } = {}) {
      const url = new URL(path, address);
      if (directory !== undefined) url.searchParams.set("directory", directory);
      const [headers, text] = [{ authorization, "content-type": "application/json" }, JSON.stringify(body ?? {})];
      const response = await fetch(url, { method, headers, ...(method === "GET" ? {} : { body: text }) }).catch(refuse);
      const answer = parsed(await response.text().catch(refuse));
      if (response.ok) return answer;
      throw new RefusedCall(response.status, wordsOf(answer) ?? `${method} ${path}: status ${response.status}`);
    },
    async listen({ onOpen, onEvent, onMalformed }) {
      const response = await fetch(new URL("/global/event", address), { headers: { authorization } }).catch(refuse);
      if (!response.ok || response.body === null) throw new RefusedCall(response.status, "there are no events");
      onOpen();
      const reader = createEventReader(onEvent, onMalformed);
      for await (const piece of response.body) reader.push(piece as Uint8Array);
    },
  };
}

function refuse(cause: unknown): never {
  const reason = cause instanceof Error ? (fieldsOf(cause.cause)["code"] ?? cause.message) : cause;
  throw new AnabranchError("AGENT_GONE", { message: `opencode does not answer: ${String(reason)}`, cause });
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

function wordsOf(answer: unknown): string | undefined {
  const fields = fieldsOf(answer);
  return textOf(fieldsOf(fields["data"])["message"]) ?? textOf(fields["message"]);
}
