import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { PERMISSIONS } from "../../../src/engine/agent.ts";
import { judgePermission, type ToolUse } from "../../../src/engine/permission.ts";
import { isReadingCommand } from "../../../src/engine/reading-command.ts";

const use = (part: Partial<ToolUse>): ToolUse => ({ action: "other", outside: [], command: undefined, ...part });

describe("what an agent may do", () => {
  it.each(PERMISSIONS)("never includes writing outside of its workspace (%s)", (permission) => {
    const verdict = judgePermission(permission, use({ action: "write", outside: ["/home/ada/x"] }), "/ws");
    expect(verdict).toMatchObject({ verdict: "deny", reason: expect.stringContaining("/home/ada/x") });
  });

  it.each(PERMISSIONS)("always includes reading, also by commands that only read (%s)", (permission) => {
    expect(judgePermission(permission, use({ action: "read", outside: ["/etc/hosts"] }), "/ws").verdict).toBe("allow");
    expect(judgePermission(permission, use({ action: "execute", command: "git log | head" }), "/ws").verdict).toBe(
      "allow",
    );
  });

  it.each([
    ["workspace", "allow", "allow"],
    ["ask", "ask", "ask"],
    ["read-only", "deny", "deny"],
  ] as const)("%s: a write is %s, a command that does more than read is %s", (permission, write, run) => {
    expect(judgePermission(permission, use({ action: "write" }), "/ws").verdict).toBe(write);
    expect(judgePermission(permission, use({ action: "execute", command: "make" }), "/ws").verdict).toBe(run);
    expect(judgePermission(permission, use({ action: "execute" }), "/ws").verdict).toBe(run);
  });
});

describe("a command that only reads", () => {
  it.each([
    "ls -la src",
    "cat a.txt b.txt",
    `grep -rn "needle in hay" src | sort | uniq -c`,
    "git log --oneline -5 && git status",
    "git diff HEAD~1 -- src",
    "sed -n 10,20p file.ts",
    "find . -name '*.ts'",
    "cd src; ls",
  ])("is: %s", (command) => {
    expect(isReadingCommand(command)).toBe(true);
  });

  it.each([
    "",
    "rm a",
    "cat a > b",
    "cat a >> b",
    "cat <(rm a)",
    "echo $(rm a)",
    "echo `rm a`",
    "ls; rm a",
    "ls && make",
    "ls & rm a",
    "ls\nrm a",
    "find . -delete",
    "find . -exec rm {} +",
    "sort -o a b",
    "uniq a b",
    "sed -i s/a/b/ c",
    "sed -n -i 1,2p a",
    "sed -n '1w out' a",
    "git push",
    "git -c core.pager=x log",
    "git diff --output=a",
    "git grep --open-files-in-pager=x a",
    "rg --pre x a",
    "tee a",
    "xargs rm",
    "env rm a",
    "PATH=. ls",
    'echo "$(rm a)"',
    "ls ||",
    "| ls",
  ])("is not: %j", (command) => {
    expect(isReadingCommand(command)).toBe(false);
  });

  it("holds nothing that a shell would redirect, substitute or run beside it, whatever it is", () => {
    const part = constantFrom("ls", "cat", "a", " ", ">", "<", "$(", ")", "`", "&", "|", ";", "\n", "$x", "\\", "rm");
    assert(
      property(array(part, { maxLength: 12 }), (parts) => {
        const command = parts.join("").trim();
        if (/[<>`$\\\n]|(^|[^&])&([^&]|$)/.test(command)) expect(isReadingCommand(command)).toBe(false);
      }),
    );
  });
});
