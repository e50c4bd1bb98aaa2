import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { installService, uninstallService, type ServicePlace } from "../../../src/sdk/service/service.ts";
import { unitText } from "../../../src/sdk/service/systemd-unit.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";

const ODD = `a b%n "q" $HOME \\x 'y' ünï; #`;

/** A user whose PATH holds programs that note what they are asked, and answer as the test says. */
function makeUser(answers: Readonly<Record<string, string>>) {
  const home = temporaryFolder("anabranch user ");
  const programs = join(home, "bin");
  const calls = join(home, "calls");
  mkdirSync(programs);
  for (const [name, script] of Object.entries(answers)) {
    writeFileSync(join(programs, name), `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> '${calls}'\n${script}\n`);
    chmodSync(join(programs, name), 0o755);
  }
  const environment = { HOME: home, PATH: programs, USER: "ada", ANABRANCH_HOME: join(home, ODD) };
  return {
    home,
    place: (platform: NodeJS.Platform): ServicePlace => ({ environment, platform, script: "/opt/anabranch/daemon.js" }),
    environment,
    calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []),
  };
}

describe("the daemon as a service of systemd", () => {
  it("is written, made known, enabled and started, says how to linger, and a second time nothing changes", async () => {
    const user = makeUser({ systemctl: "", loginctl: "echo Linger=no" });
    const first = await installService(user.place("linux"), false);
    expect(first).toMatchObject({ changed: true, name: expect.stringMatching(/^anabranch-[0-9a-f]{8}\.service$/) });
    expect(first.path).toBe(join(user.home, ".config/systemd/user", first.name));
    expect(first.notes).toEqual([expect.stringContaining("loginctl enable-linger")]);
    const text = readFileSync(first.path, "utf8");
    expect(text).toContain(
      `ExecStart=":/bin/sh" "-c" "exec \\"$0\\" \\"$@\\"" "${process.execPath}" "/opt/anabranch/daemon.js"`,
    );
    expect(text).toMatch(/^KillMode=process$/m);
    expect([...text.matchAll(/^Environment="(\w+)=/gm)].map(([, name]) => name)).toEqual(["ANABRANCH_HOME", "PATH"]);
    expect(user.calls()).toEqual([
      "systemctl --user show-environment",
      "systemctl --user daemon-reload",
      `systemctl --user enable ${first.name}`,
      `systemctl --user start ${first.name}`,
      "loginctl show-user ada --property=Linger",
    ]);
    expect(await installService(user.place("linux"), true)).toMatchObject({ changed: false, path: first.path });
    expect(user.calls().slice(5)).not.toContain(`systemctl --user start ${first.name}`);
  });

  it("is removed without a trace, and a second time there is nothing to remove", async () => {
    const user = makeUser({ systemctl: "", loginctl: "echo Linger=yes" });
    const { path, name, notes } = await installService(user.place("linux"), true);
    expect(notes).toEqual([]);
    expect(await uninstallService(user.place("linux"))).toMatchObject({ changed: true, path });
    expect(existsSync(path)).toBe(false);
    expect(user.calls().slice(-2)).toEqual([`systemctl --user disable ${name}`, "systemctl --user daemon-reload"]);
    expect(await uninstallService(user.place("linux"))).toMatchObject({ changed: false });
  });

  it("says so where there is no systemd, or it refuses, and leaves nothing behind", async () => {
    const none = makeUser({});
    await expect(installService(none.place("linux"), false)).rejects.toMatchObject({ code: "SERVICE_MISSING" });
    const mute = makeUser({ systemctl: "echo 'Failed to connect to bus: No medium found' >&2; exit 1" });
    await expect(installService(mute.place("linux"), false)).rejects.toMatchObject({
      code: "SERVICE_MISSING",
      message: expect.stringContaining("No medium found"),
    });
    expect(existsSync(join(mute.home, ".config"))).toBe(false);
    const stubborn = makeUser({ systemctl: '[ "$2" = enable ] || exit 0; echo "Unit is masked" >&2; exit 1' });
    await expect(installService(stubborn.place("linux"), false)).rejects.toMatchObject({
      code: "SERVICE_FAILED",
      message: expect.stringContaining("Unit is masked"),
      hint: expect.stringContaining("systemctl --user enable"),
    });
  });

  it("is not for tasks to install", async () => {
    const user = makeUser({ systemctl: "" });
    const { environment } = user;
    const place = { environment: { ...environment, ANABRANCH_MARKER: "marker" }, platform: "linux" as const };
    await expect(installService(place, false)).rejects.toMatchObject({ code: "NOT_ALLOWED_IN_TASK" });
    await expect(uninstallService(place)).rejects.toMatchObject({ code: "NOT_ALLOWED_IN_TASK" });
    expect(user.calls()).toEqual([]);
  });

  it.skipIf(spawnSync("systemd-analyze", ["--version"]).status !== 0)(
    "is read by systemd as it was meant, whatever is in its paths",
    () => {
      const folder = temporaryFolder();
      const odd = join(folder, ODD);
      mkdirSync(odd);
      const verify = (text: string): { status: number | null; stderr: string } => {
        const path = join(folder, "odd.service");
        writeFileSync(path, text);
        return spawnSync("systemd-analyze", ["--user", "verify", path], {
          encoding: "utf8",
          env: { PATH: process.env["PATH"], HOME: folder, XDG_RUNTIME_DIR: folder },
        });
      };
      const command = [join(odd, "node"), join(odd, "daemon.js")] as const;
      const text = unitText({ name: "odd", command: [...command], environment: { ANABRANCH_HOME: odd } });
      const end = verify(text);
      expect(end.stderr).toBe("");
      expect(end.status).toBe(0);
      // It does look at what is quoted, and at the program.
      expect(verify(text.replace('\\"q', '"q')).stderr).not.toBe("");
      expect(verify(text.replace("/bin/sh", "/bin/no-such-sh")).status).not.toBe(0);
    },
  );
});

describe("the daemon as an agent of launchd", () => {
  it("is written so that any path is kept, loaded anew, and removed", async () => {
    const user = makeUser({ launchctl: "" });
    const { path, name } = await installService(user.place("darwin"), false);
    const text = readFileSync(path, "utf8");
    expect(text).toContain("<string>/opt/anabranch/daemon.js</string>");
    expect(text).toContain(`a b%n &quot;q&quot; $HOME \\x 'y' ünï; #</string>`);
    const domain = `gui/${process.getuid?.()}`;
    expect(user.calls()).toEqual([
      "launchctl version",
      `launchctl bootout ${domain}/${name}`,
      `launchctl bootstrap ${domain} ${path}`,
    ]);
    await uninstallService(user.place("darwin"));
    expect(existsSync(path)).toBe(false);
  });
});
