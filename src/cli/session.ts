import { resolve } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { Anabranch } from "../sdk/anabranch.ts";
import { openTerminal, type CommonOptions, type Terminal } from "./terminal.ts";

/** What a command works with. */
export interface Session {
  readonly anabranch: Anabranch;
  readonly terminal: Terminal;
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Runs a command with a client of the daemon, and lets go of it at the end. */
export async function withSession(
  options: CommonOptions,
  command: (session: Session) => Promise<number>,
  connect: { readonly start: boolean } = { start: true },
): Promise<number> {
  const environment = { ...process.env };
  if (options.home !== undefined) environment["ANABRANCH_HOME"] = resolve(options.home);
  const anabranch = new Anabranch({ environment, start: connect.start });
  try {
    return await command({
      anabranch,
      terminal: openTerminal(options, environment),
      directory: process.cwd(),
      environment,
    });
  } finally {
    anabranch.close();
  }
}

/**
 * A whole number an option was given.
 * @throws {AnabranchError} `USAGE`
 */
export function wholeNumber(text: string, option: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new AnabranchError("USAGE", {
    message: `${option} takes a whole number from 1 on, not ${JSON.stringify(text)}`,
    hint: `${option} 4`,
  });
}

/**
 * A duration an option was given, in milliseconds.
 * @throws {AnabranchError} `USAGE`
 */
export function durationOption(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ""];
  if (match !== null && unit !== undefined) return Number(match[1]) * unit;
  throw new AnabranchError("USAGE", {
    message: `${option} takes a duration such as 30s, 10m or 2d, not ${JSON.stringify(text)}`,
    hint: `${option} 10m`,
  });
}
