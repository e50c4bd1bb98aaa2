import { createServer } from "node:net";

import { AnabranchError } from "../base/errors.ts";
import type { PortRow } from "../store/workspaces.ts";

// Below the range from which systems hand out ports by themselves.
const [FIRST_PORT, LAST_PORT] = [20_000, 29_999];

/** The ports that workspaces hold. */
export class PortPool {
  readonly #held = new Map<number, PortRow>();
  #next = FIRST_PORT;

  /** @param rows as they stand in the store */
  constructor(rows: readonly PortRow[]) {
    for (const row of rows) this.#held.set(row.port, row);
  }

  /** The ports of a workspace, by the names of their variables. */
  of(workspaceId: string): Map<string, number> {
    const own = [...this.#held.values()].filter((row) => row.workspaceId === workspaceId);
    return new Map(own.map((row) => [row.name, row.port]));
  }

  /**
   * Finds a port that no workspace holds and nobody listens on, and sets it aside.
   * @throws {AnabranchError} `NO_FREE_PORT`
   */
  async take(workspaceId: string, name: string): Promise<number> {
    for (let tried = FIRST_PORT; tried <= LAST_PORT; tried += 1) {
      const port = this.#next;
      this.#next = port === LAST_PORT ? FIRST_PORT : port + 1;
      if (this.#held.has(port)) continue;
      this.#held.set(port, { port, workspaceId, name });
      if (await isFree(port)) return port;
      this.#held.delete(port);
    }
    throw new AnabranchError("NO_FREE_PORT", {
      message: `no port between ${FIRST_PORT} and ${LAST_PORT} is free`,
      hint: "anabranch gc, to give back the ports of idle workspaces",
    });
  }

  /** Gives back all ports of a workspace. */
  release(workspaceId: string): void {
    for (const [port, row] of this.#held) if (row.workspaceId === workspaceId) this.#held.delete(port);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
