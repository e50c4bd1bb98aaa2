import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";

import { LineTransport } from "../../../src/mcp/line-transport.ts";

interface Talk {
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly taken: unknown[];
  readonly said: () => { id: unknown; error: { code: number; message: string } }[];
  readonly closed: () => boolean;
  readonly transport: LineTransport;
}

function talk(): Talk {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const transport = new LineTransport(input, output);
  const taken: unknown[] = [];
  let [text, isClosed] = ["", false];
  output.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  Object.assign(transport, {
    onmessage: (message: unknown) => void taken.push(message),
    onclose: () => (isClosed = true),
  });
  void transport.start();
  const said = (): ReturnType<Talk["said"]> =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as never);
  return { input, output, taken, said, closed: () => isClosed, transport };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the lines that a client and the server of tools exchange", () => {
  it("are cut wherever the pipe cuts them, and put together again", async () => {
    const { input, taken } = talk();
    const bytes = Buffer.from(
      `{"jsonrpc":"2.0","method":"a","params":{"é":"✓"}}\r\n\n{"jsonrpc":"2.0","id":1,"method":"b"}\n`,
    );
    for (const byte of bytes) input.write(Buffer.from([byte]));
    await settled();
    expect(taken).toEqual([
      { jsonrpc: "2.0", method: "a", params: { é: "✓" } },
      { jsonrpc: "2.0", id: 1, method: "b" },
    ]);
  });

  it("are answered with an error where they are no message, and the next one is read", async () => {
    const { input, taken, said } = talk();
    const bad = ["{", "[]", "7", "null", "{}", '{"jsonrpc":"2.0","id":7}', '{"jsonrpc":"2.0","id":{},"method":"a"}'];
    const worse = '{"jsonrpc":"2.0","id":"x","method":"a","params":[1]}';
    for (const line of [...bad, worse, '{"jsonrpc":"2.0","id":9,"method":"ok"}']) input.write(`${line}\n`);
    await settled();
    expect(said().map(({ id, error }) => [id, error.code])).toEqual([
      [null, -32700],
      [null, -32600],
      [null, -32600],
      [null, -32600],
      [null, -32600],
      [7, -32600],
      [null, -32600],
      ["x", -32600],
    ]);
    expect(taken).toEqual([{ jsonrpc: "2.0", id: 9, method: "ok" }]);
  });

  it("are let go of, and said so, when they are longer than any message", async () => {
    const { input, taken, said } = talk();
    for (let index = 0; index < 9; index += 1) input.write(Buffer.alloc(1024 * 1024, "a"));
    input.write('\n{"jsonrpc":"2.0","id":9,"method":"ok"}\n');
    await settled();
    expect(said()).toMatchObject([{ id: null, error: { code: -32600, message: expect.stringContaining("9437184") } }]);
    expect(taken).toHaveLength(1);
  });

  it("end with the client: nothing is read or written after that", async () => {
    const { input, output, closed, transport, taken } = talk();
    input.end('{"jsonrpc":"2.0","id":9,"method":"cut');
    await settled();
    expect(closed()).toBe(true);
    expect(taken).toEqual([]);
    await transport.send({ jsonrpc: "2.0", id: 1, result: {} });
    expect(output.readableLength).toBe(0);
  });
});
