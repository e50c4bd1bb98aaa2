import { client, type AnyMessage, type ClientContext, type JsonRpcId } from "@agentclientprotocol/sdk/unstable";
import type {
  ReadTextFileRequest,
  RequestPermissionRequest,
  RequestPermissionResponse,
  WriteTextFileRequest,
} from "@agentclientprotocol/sdk/unstable";

import type { Clock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { startLineProgram, type LineProgram } from "../../process/line-program.ts";

/** What the agent asks and tells us. */
export interface ClientSide {
  update(params: unknown): void;
  permission(request: RequestPermissionRequest): Promise<RequestPermissionResponse>;
  read(request: ReadTextFileRequest): Promise<string>;
  write(request: WriteTextFileRequest): Promise<void>;
  /** Whether the agent shows an error to its model only where the error is a text, which the protocol does not know. */
  wantsErrorsAsText(): boolean;
  /** Something that was not understood. */
  remark(text: string): void;
}

/** A program that speaks the protocol. */
export interface Connection {
  readonly agent: ClientContext;
  readonly pid: number;
  /** Resolves, never rejects, when the program is gone, with the reason. */
  readonly gone: Promise<AnabranchError>;
  /** Ends the program. */
  close(): Promise<void>;
}

/** The program to start. */
export interface ConnectionCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly through: readonly string[] | undefined;
  readonly controlGroup: string | undefined;
  readonly side: ClientSide;
}

const CLOSE_PATIENCE_MS = 2000;
const MOST_REMARKS = 20;

/**
 * Starts an agent and connects to it. Lines that are no messages, and answers that nobody asked for, are remarked on
 * and go no further.
 * @throws {AnabranchError} `COMMAND_MISSING`
 */
export async function connect(call: ConnectionCall): Promise<Connection> {
  const { side } = call;
  let incoming: ReadableStreamDefaultController<AnyMessage> | undefined;
  const readable = new ReadableStream<AnyMessage>({ start: (controller) => void (incoming = controller) });
  const sieve = createSieve(side, (message) => incoming?.enqueue(message));
  const program = await startLineProgram({
    program: call.program,
    args: call.args,
    cwd: call.cwd,
    environment: call.environment,
    clock: call.clock,
    through: call.through,
    controlGroup: call.controlGroup,
    onLine: (line) => sieve.line(line),
    onOverlong: (sizeBytes) => side.remark(`a line of ${sizeBytes} bytes from the agent was left out`),
    // It can say nothing any more: whatever it does still, nobody learns of it.
    onHangUp: () => void program.close(CLOSE_PATIENCE_MS),
  });
  const writable = new WritableStream<AnyMessage>({
    write(message) {
      sieve.sent(message);
      const isPlain = "error" in message && side.wantsErrorsAsText();
      return program.write(JSON.stringify(isPlain ? { ...message, error: message.error.message } : message));
    },
  });
  const connection = client({ name: "anabranch" })
    .onNotification(
      "session/update",
      (params) => params,
      ({ params }) => side.update(params),
    )
    .onRequest("session/request_permission", ({ params }) => side.permission(params))
    .onRequest("fs/read_text_file", async ({ params }) => ({ content: await side.read(params) }))
    .onRequest("fs/write_text_file", async ({ params }) => {
      await side.write(params);
      return {};
    })
    .connect({ readable, writable });
  const gone = program.gone.then((end) => {
    incoming?.close();
    connection.close();
    return goneError(call.program, end);
  });
  return { agent: connection.agent, pid: program.pid, gone, close: () => program.close(CLOSE_PATIENCE_MS) };
}

interface Sieve {
  line(line: string): void;
  sent(message: AnyMessage): void;
}

function createSieve(side: ClientSide, pass: (message: AnyMessage) => void): Sieve {
  const asked = new Set<JsonRpcId>();
  let remarks = 0;
  const remark = (text: string): void => {
    remarks += 1;
    if (remarks <= MOST_REMARKS) side.remark(text);
    if (remarks === MOST_REMARKS) side.remark("more of this kind is not told");
  };
  return {
    sent(message) {
      if ("method" in message && "id" in message) asked.add(message.id);
    },
    line(line) {
      const message = parse(line);
      if (message === undefined) {
        if (line.trim() !== "") remark(`the agent wrote a line that is no message: ${line.slice(0, 200)}`);
      } else if ("method" in message) {
        if (typeof message["method"] === "string") pass(message as AnyMessage);
        else remark("the agent called something that has no name");
      } else if (asked.delete(message["id"] as JsonRpcId)) pass(message as unknown as AnyMessage);
      else remark(`the agent answered what it was not asked: ${JSON.stringify(message["id"] ?? null).slice(0, 80)}`);
    },
  };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function goneError(program: string, { status, signal, lastWords }: Awaited<LineProgram["gone"]>): AnabranchError {
  const how = signal === null ? `ended with status ${status ?? "unknown"}` : `was ended by ${signal}`;
  return new AnabranchError("AGENT_GONE", {
    message: `the agent's program ${how}${lastWords === "" ? "" : `: ${lastWords.slice(-1000)}`}`,
    data: { program, status, signal },
  });
}
