import { AnabranchError, isAnabranchError } from "../../base/errors.ts";
import { fieldsOf, numberOf, parseFields, textOf, type Fields, type RequestId } from "./wire.ts";

/** What is heard of the other side. None of these may throw. */
export interface RpcListener {
  readonly onNotification: (method: string, params: Fields) => void;
  /** Answers a request of the other side. */
  readonly onRequest: (method: string, params: Fields, id: RequestId) => Promise<RpcAnswer>;
  /** Told of what cannot be understood. */
  readonly onRemark: (text: string) => void;
}

/** What a request is answered with. */
export type RpcAnswer = { readonly result: unknown } | { readonly error: { code: number; message: string } };

/** Requests and notifications in lines of JSON, without the field that says so, in both directions. */
export interface JsonRpc {
  /** Takes a line of the other side's. */
  take(line: string): void;
  /**
   * Asks the other side.
   * @throws {AnabranchError} `AGENT_FAILED` when it refuses, with its own words; `AGENT_GONE` when it is gone
   */
  call(method: string, params: unknown): Promise<Fields>;
  notify(method: string): void;
  /** The other side is gone: whoever waits for an answer is told. */
  end(reason: AnabranchError): void;
}

const METHOD_NOT_FOUND = -32601;
const SHOWN_LENGTH = 200;

/** Speaks over lines that `write` passes on. */
export function createJsonRpc(write: (line: string) => void, listener: RpcListener): JsonRpc {
  const waiting = new Map<RequestId, Waiter>();
  let lastId = 0;
  let ended: AnabranchError | undefined;

  function take(line: string): void {
    if (line.trim() === "") return;
    const message = parseFields(line);
    if (message === undefined) return listener.onRemark(`a line that is no message: ${shown(line)}`);
    const [id, method] = [message["id"], textOf(message["method"])];
    const isId = typeof id === "number" || typeof id === "string";
    if (method !== undefined && isId) void answer(id, method, fieldsOf(message["params"]));
    else if (method !== undefined) listener.onNotification(method, fieldsOf(message["params"]));
    else if (isId) settle(id, message);
    else listener.onRemark(`a message that asks and answers nothing: ${shown(line)}`);
  }

  function settle(id: RequestId, message: Fields): void {
    const waiter = waiting.get(id);
    if (waiter === undefined) return listener.onRemark(`an answer to what was not asked: ${shown(String(id))}`);
    waiting.delete(id);
    if (message["error"] === undefined || message["error"] === null) waiter.resolve(fieldsOf(message["result"]));
    else waiter.reject(fieldsOf(message["error"]));
  }

  async function answer(id: RequestId, method: string, params: Fields): Promise<void> {
    const reply = await listener.onRequest(method, params, id);
    if (ended === undefined) write(JSON.stringify({ id, ...reply }));
  }

  return {
    take,
    call(method, params) {
      if (ended !== undefined) return Promise.reject(ended);
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject: (error) => reject(refusal(method, error)) });
        write(JSON.stringify({ id, method, params }));
      });
    },
    notify: (method) => write(JSON.stringify({ method })),
    end(reason) {
      ended = reason;
      for (const waiter of waiting.values()) waiter.reject(reason);
      waiting.clear();
    },
  };
}

interface Waiter {
  readonly resolve: (result: Fields) => void;
  readonly reject: (error: Fields | AnabranchError) => void;
}

function refusal(method: string, error: Fields | AnabranchError): AnabranchError {
  if (isAnabranchError(error)) return error;
  const message = textOf(error["message"]) ?? "it gave no reason";
  return new AnabranchError("AGENT_FAILED", {
    message: `codex refused ${method}: ${message.slice(0, 1000)}`,
    data: { code: numberOf(error["code"]) },
  });
}

/** The answer to a request that is not known. */
export function unknownMethod(method: string): RpcAnswer {
  return { error: { code: METHOD_NOT_FOUND, message: `${method} is not supported` } };
}

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text);
}
