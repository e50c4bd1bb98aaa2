import { describe, expect, it } from "vitest";

import { launchOf } from "../../../src/agents/claude/launch.ts";
import { systemClock } from "../../../src/base/clock.ts";

describe("the launch of Claude Code", () => {
  it("keeps what a Claude Code around it has set for itself from a session, and nothing else", () => {
    const own = { PATH: "/bin", ANTHROPIC_API_KEY: "invented", CLAUDE_CONFIG_DIR: "/c" };
    const parents = {
      CLAUDECODE: "1",
      CLAUDE_CODE_CHILD_SESSION: "1",
      CLAUDE_CODE_ENTRYPOINT: "cli",
      CLAUDE_CODE_MESSAGING_SOCKET: "/s",
      CLAUDE_CODE_MESSAGING_TOKEN: "t",
      CLAUDE_CODE_SESSION_ID: "s",
      CLAUDE_CODE_SSE_PORT: "1",
    };
    const options = {
      cwd: "/w",
      permission: "workspace",
      toolServers: {},
      clock: systemClock,
      gate: () => Promise.resolve({ allow: true as const }),
      onEvent: () => undefined,
    } as const;
    const given = (environment: Record<string, string>) =>
      launchOf({ ...options, environment }, "claude", "c1").environment;
    expect(given({ ...own, ...parents })).toEqual(given(own));
    expect(given(own)).toMatchObject(own);
  });
});
