import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { EventView } from "../../src/protocol/views.ts";
import { DIST, makeHome } from "../fixtures/home.ts";
import { makeRepository } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace } from "./places.ts";
import { DIALECTS } from "./dialects.ts";
import { scripted, type Step } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

const shell = DIALECTS.claude.run;

describe("an agent that has sent something off", () => {
  for (const fault of [undefined, "delivery.put@1", "delivery.settled@1"]) {
    it(`is told of its end while it works${fault === undefined ? "" : `, also when the daemon is killed at ${fault}`}`, async () => {
      const home = makeHome();
      const place = agentPlace("claude", server, agentHome());
      const PATH = `${dirname(place.program.command)}:${place.environment["PATH"]}`;
      const environment = { ...home.environment, ...place.environment, PATH };
      const root = makeRepository({ "a.txt": "a\n" });
      const armed = await home.startDaemon({
        ...environment,
        ...(fault === undefined ? {} : { ANABRANCH_FAULT: fault }),
      });
      const client = home.client(environment);
      const cli = `node ${DIST}/cli.js`;
      const steps: Step[] = [
        shell(`test -e spawned || { touch spawned; ${cli} spawn -t inner='true' --writes none; }`),
        shell("sleep 2"),
        shell("sleep 2"),
        { text: "all is done" },
      ];
      const run = await client.start({
        directory: root,
        tasks: { parent: { agent: "claude", prompt: `Do it. ${scripted(...steps)}`, writes: "none" } },
      });
      if (fault !== undefined) await until(() => armed.signalCode === "SIGKILL", "the daemon is killed", 60_000);
      expect((await run.wait()).outcome).toBe("succeeded");
      const inner = (await client.ask("list", {})).find(({ parent }) => parent?.run === run.id);
      const told: EventView[] = [];
      for await (const event of client.events()) if (event.type === "message.delivered") told.push(event);
      expect(told, "it is delivered once").toHaveLength(1);
      expect(server.requests.some(({ text }) => text.includes(inner?.id ?? "-") && text.includes("succeeded"))).toBe(
        true,
      );
    });
  }
});
