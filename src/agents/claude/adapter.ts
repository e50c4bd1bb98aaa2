import type { Clock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { newUuid, systemRandom } from "../../base/ids.ts";
import type { Capabilities } from "../../engine/agent.ts";
import type { AgentAdapter } from "../port.ts";
import { createProgramSearch } from "../program-search.ts";
import { startControlTransport } from "./control-transport.ts";
import { launchOf } from "./launch.ts";
import { findOtherServers } from "./own-servers.ts";
import { findSdk } from "./sdk-place.ts";
import { openSession } from "./session.ts";
import { findConversationUsing, knowsConversation, listConversations } from "./transcripts.ts";

const CAPABILITIES: Capabilities = {
  fork: true,
  forkCwd: true,
  forkPrefix: true,
  steer: true,
  preToolDeny: true,
  readEvents: true,
  writeEvents: true,
  cost: true,
  structured: true,
  sharedProcess: false,
};

const PROGRAM = {
  product: "Claude Code",
  command: "claude",
  oldest: "2.1.319",
  newest: "2.1.330",
  install: "install it: https://code.claude.com/docs/en/setup",
  update: "claude update",
};

/** The adapter for Claude Code: one program for each session. */
export function createClaudeAdapter(clock: Clock): AgentAdapter {
  const programs = createProgramSearch(PROGRAM, clock);
  return {
    kind: "claude",
    capabilities: CAPABILITIES,
    detect: (place) => programs.find(place),
    async open(options) {
      const detection = await programs.find(options);
      if (!detection.found) throw detection.error;
      const earlier = options.resume ?? options.forkFrom?.conversation;
      if (earlier !== undefined && !(await knowsConversation(options, earlier))) throw unknown(earlier);
      const { servers, missing } = await findOtherServers(options, options.native ?? {});
      for (const name of missing)
        options.onEvent({ type: "remark", text: `there is no tool server ${name} in the user's own settings` });
      const launch = launchOf(options, detection.path, newUuid(systemRandom), servers);
      const sdk = findSdk(detection.path, process.env);
      return openSession(launch, CAPABILITIES, async (...call) => {
        if (sdk === undefined) return startControlTransport(...call, clock);
        const { startSdkTransport } = await import("./sdk-transport.ts");
        return startSdkTransport(sdk, ...call, clock);
      });
    },
    conversations: listConversations,
    conversationUsing: (place, directory, toolUse) => findConversationUsing(place, directory, toolUse, clock),
    close: () => Promise.resolve(),
  };
}

function unknown(conversation: string): AnabranchError {
  return new AnabranchError("CONVERSATION_UNKNOWN", {
    message: `Claude Code keeps no conversation ${conversation} here`,
    hint: "claude --resume lists the conversations of a folder",
    data: { conversation },
  });
}
