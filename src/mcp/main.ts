#!/usr/bin/env node
import { serveStdio } from "@modelcontextprotocol/server/stdio";

import { printable } from "../base/printable.ts";
import { Anabranch } from "../sdk/anabranch.ts";
import { LineTransport } from "./line-transport.ts";
import { createServer } from "./server.ts";

// Serves one parent agent until it closes our standard input or ends us. Calls that still wait are given up then, and
// what they had started is stopped in order; this process ends when that is done.
const clients = new Map<string | undefined, Anabranch>();
const anabranchFor = (conversation?: string): Anabranch => {
  const known = clients.get(conversation) ?? new Anabranch(conversation === undefined ? {} : { conversation });
  clients.set(conversation, known);
  return known;
};
const parts = { anabranchFor, directory: process.cwd() };
const transport = new LineTransport(process.stdin, process.stdout);
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
