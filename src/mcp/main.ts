#!/usr/bin/env node
import { serveStdio } from "@modelcontextprotocol/server/stdio";

import { newId, systemRandom } from "../base/ids.ts";
import { printable } from "../base/printable.ts";
import { Anabranch } from "../sdk/anabranch.ts";
import { LineTransport } from "./line-transport.ts";
import { createServer } from "./server.ts";
import { Told } from "./told.ts";

// Serves one parent agent until it closes our standard input or ends us. Calls that still wait are given up then, and
// what they had started is stopped in order; this process ends when that is done.
const clients = new Map<string, Anabranch>();
// A client that does not say which of its conversations calls has one, as far as can be told: that with this process.
const own = `mcp-${newId(systemRandom)}`;
const anabranchFor = (conversation = own): Anabranch => {
  const known = clients.get(conversation) ?? new Anabranch({ conversation });
  clients.set(conversation, known);
  return known;
};
const told = new Told();
const parts = { anabranchFor, directory: process.cwd(), told };
const transport = new LineTransport(process.stdin, process.stdout);
transport.onanswer = (request) => told.written(request);
serveStdio(({ era }) => createServer(parts, era), {
  transport,
  onerror: (error) => void process.stderr.write(`anabranch mcp: ${printable(error.message)}\n`),
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    void transport.close();
    process.stdin.destroy();
  });
}
