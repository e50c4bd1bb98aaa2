import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { directoriesFor } from "../../../src/base/directories.ts";

const socketFor = (environment: Record<string, string>): string =>
  join(directoriesFor(environment).runtime, "daemon.sock");

describe("the directories", () => {
  it("give a socket path under 100 bytes, however long the home folder's path is", () => {
    expect(Buffer.byteLength(socketFor({ HOME: `/home/${"long/".repeat(40)}` }))).toBeLessThan(100);
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 1000 }),
        fc.constantFrom("HOME", "ANABRANCH_HOME", "XDG_STATE_HOME"),
        (text, name) => {
          expect(Buffer.byteLength(socketFor({ HOME: "/home/ada", [name]: `/${text}` }))).toBeLessThan(100);
        },
      ),
    );
  });

  it("are the same for a login shell, cron and a desktop session of one user", () => {
    const login = directoriesFor({ HOME: "/home/ada", XDG_RUNTIME_DIR: "/run/user/1000", TMPDIR: "/tmp/ada" });
    expect(directoriesFor({ HOME: "/home/ada" })).toEqual(login);
  });

  it("are apart for different homes", () => {
    const homes = ["/home/ada", "/home/bob", "/home/ada/"].map((HOME) => directoriesFor({ HOME }));
    expect(homes[0]?.runtime).not.toBe(homes[1]?.runtime);
    expect(homes[0]).toEqual(homes[2]);
  });

  it("follow ANABRANCH_HOME first, then the XDG variables, of which relative and empty ones are ignored", () => {
    const environment = { HOME: "/home/ada", XDG_STATE_HOME: "/state", XDG_CONFIG_HOME: "/config" };
    if (process.platform !== "darwin") {
      expect(directoriesFor({ HOME: "/home/ada" }).state).toBe("/home/ada/.local/state/anabranch");
      expect(directoriesFor({ HOME: "/home/ada" }).config).toBe("/home/ada/.config/anabranch");
      expect(directoriesFor({ HOME: "/home/ada", XDG_STATE_HOME: "state" }).state).toBe(
        "/home/ada/.local/state/anabranch",
      );
      expect(directoriesFor({ HOME: "/home/ada", XDG_STATE_HOME: "" }).state).toBe("/home/ada/.local/state/anabranch");
    }
    expect(directoriesFor(environment)).toMatchObject({ state: "/state/anabranch", config: "/config/anabranch" });
    const own = directoriesFor({ ...environment, ANABRANCH_HOME: "/own" });
    expect(own).toMatchObject({ state: "/own/state", config: "/own/config" });
    expect(directoriesFor({ ANABRANCH_HOME: "here" }).state).toBe(join(process.cwd(), "here/state"));
    expect(directoriesFor({ ...environment, ANABRANCH_HOME: "" }).state).toBe("/state/anabranch");
  });
});
