import type { Clock } from "../../base/clock.ts";
import { newUuid, systemRandom } from "../../base/ids.ts";
import type { Capabilities } from "../../engine/agent.ts";
import type { AgentAdapter } from "../port.ts";
import { startControlTransport } from "./control-transport.ts";
import { launchOf } from "./launch.ts";
import { createPrograms } from "./program.ts";
import { openSession } from "./session.ts";

const CAPABILITIES: Capabilities = {
  fork: true,
  forkCwd: true,
  steer: true,
  preToolDeny: true,
  readEvents: true,
  writeEvents: true,
  cost: true,
  structured: true,
  sharedProcess: false,
};

/** The adapter for Claude Code: one program for each session. */
export function createClaudeAdapter(clock: Clock): AgentAdapter {
  const programs = createPrograms(clock);
  return {
    kind: "claude",
    capabilities: CAPABILITIES,
    detect: (place) => programs.find(place),
    async open(options) {
      const detection = await programs.find(options);
      if (!detection.found) throw detection.error;
      const launch = launchOf(options, detection.path, newUuid(systemRandom));
      return openSession(launch, CAPABILITIES, (...call) => startControlTransport(...call, clock));
    },
    close: () => Promise.resolve(),
  };
}
