import { describe, expect, it } from "vitest";

import { createJsonRpc, type JsonRpc } from "../../../src/agents/codex/json-rpc.ts";
import { AnabranchError } from "../../../src/base/errors.ts";

function connect(): { rpc: JsonRpc; written: unknown[]; remarks: string[]; heard: string[] } {
  const [written, remarks, heard]: [unknown[], string[], string[]] = [[], [], []];
  const rpc = createJsonRpc((line) => void written.push(JSON.parse(line)), {
    onNotification: (method) => void heard.push(method),
    onRequest: (method, params) => Promise.resolve({ result: { method, params } }),
    onRemark: (text) => void remarks.push(text),
  });
  return { rpc, written, remarks, heard };
}

describe("messages with a codex server", () => {
  it("match answers with what was asked, in whatever order they come", async () => {
    const { rpc, written } = connect();
    const [one, two] = [rpc.call("one", {}), rpc.call("two", { a: 1 })];
    expect(written).toEqual([
      { id: 1, method: "one", params: {} },
      { id: 2, method: "two", params: { a: 1 } },
    ]);
    rpc.take('{"id":2,"result":{"is":"two"}}');
    rpc.take('{"id":1,"result":null}\r');
    expect(await Promise.all([one, two])).toEqual([{}, { is: "two" }]);
  });

  it("are remarked and skipped where they cannot be understood", async () => {
    const { rpc, remarks, heard, written } = connect();
    const call = rpc.call("one", {});
    const odd = [
      "",
      "   ",
      "no json",
      "[1,2]",
      '"text"',
      "null",
      "{",
      "{}",
      '{"id":{},"result":1}',
      '{"id":7,"result":{}}',
    ];
    for (const line of odd) rpc.take(line);
    rpc.take(`{"params":${JSON.stringify("x".repeat(5000))}}`);
    expect(remarks).toHaveLength(9);
    expect(Math.max(...remarks.map((text) => text.length))).toBeLessThan(300);
    rpc.take('{"id":1,"result":{"fine":true}}');
    rpc.take('{"id":1,"result":{"fine":"twice"}}');
    expect(await call).toEqual({ fine: true });
    expect(remarks.at(-1)).toContain("not asked");
    rpc.take('{"method":"a/notification","params":[1]}');
    expect(heard).toEqual(["a/notification"]);
    expect(written).toHaveLength(1);
  });

  it("answer what the server asks, by the id it gave, with the parameters as far as they are any", async () => {
    const { rpc, written } = connect();
    rpc.take('{"id":"q-1","method":"ask","params":"none"}');
    rpc.take('{"id":0,"method":"ask","params":{"a":1}}');
    await Promise.resolve();
    await Promise.resolve();
    expect(written).toEqual([
      { id: "q-1", result: { method: "ask", params: {} } },
      { id: 0, result: { method: "ask", params: { a: 1 } } },
    ]);
  });

  it("tell the server's own words when it refuses, and that it is gone when it is", async () => {
    const { rpc } = connect();
    const refused = rpc.call("one", {});
    rpc.take('{"id":1,"error":{"code":-32600,"message":"not like this"}}');
    await expect(refused).rejects.toMatchObject({
      code: "AGENT_FAILED",
      message: expect.stringMatching(/not like this/),
    });
    const odd = rpc.call("two", {});
    rpc.take('{"id":2,"error":"just a text"}');
    await expect(odd).rejects.toMatchObject({ code: "AGENT_FAILED" });
    const open = rpc.call("three", {});
    rpc.end(new AnabranchError("AGENT_GONE", { message: "it died" }));
    await expect(open).rejects.toMatchObject({ code: "AGENT_GONE" });
    await expect(rpc.call("four", {})).rejects.toMatchObject({ code: "AGENT_GONE" });
  });
});
