import { ERROR_CODES, type ErrorCode, type ErrorKind } from "./error-codes.ts";

const BRAND = Symbol.for("anabranch.error");

/** What an {@link AnabranchError} carries besides its code. */
export interface ErrorDetails {
  /** What happened, naming what it happened to. */
  readonly message: string;
  /** The command or edit that mends it. */
  readonly hint?: string | undefined;
  /** Facts for programs: where, which, how many. JSON values only. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** An error as it travels in JSON. */
export interface ErrorShape {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The one error class of Anabranch.
 *
 * @example
 * throw new AnabranchError("NOT_FOUND", { message: "no run k3v9", hint: "anabranch ls" });
 */
export class AnabranchError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "AnabranchError";
    this.code = code;
    this.kind = ERROR_CODES[code];
    this.hint = details.hint;
    this.data = details.data;
  }

  /** The error as it travels in JSON: no stack, no cause. */
  toJSON(): ErrorShape {
    return {
      code: this.code,
      kind: this.kind,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.data === undefined ? {} : { data: this.data }),
    };
  }

  /** The reverse of {@link AnabranchError.toJSON}; an unknown code becomes `INTERNAL`. */
  static fromJSON(shape: ErrorShape): AnabranchError {
    const code = Object.hasOwn(ERROR_CODES, shape.code) ? shape.code : "INTERNAL";
    return new AnabranchError(code, shape);
  }
}

/** Whether a value is an {@link AnabranchError}, also one made by another copy of this package. */
export function isAnabranchError(value: unknown): value is AnabranchError {
  return typeof value === "object" && value !== null && BRAND in value;
}

/** Any thrown value as an {@link AnabranchError}; what is neither ours nor the disk's state is a bug and says so. */
export function toAnabranchError(value: unknown): AnabranchError {
  if (isAnabranchError(value)) return value;
  const disk = DISK_STATES[systemCodeOf(value) ?? ""];
  if (disk !== undefined)
    return new AnabranchError(disk.code, { message: wordsOf(value), hint: disk.hint, cause: value });
  return new AnabranchError("INTERNAL", {
    message: `this is a bug in Anabranch: ${wordsOf(value)}`,
    hint: "anabranch doctor",
    cause: value,
  });
}

const [FULL, SEALED] = [
  { code: "DISK_FULL", hint: "free some disk space; what was held goes on by itself" },
  { code: "READ_ONLY", hint: "make it writable, or choose another place with ANABRANCH_HOME" },
] as const;
const DISK_STATES: Readonly<Record<string, typeof FULL | typeof SEALED>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EROFS: SEALED,
};

// Not everything that can be thrown can be made a text.
function wordsOf(value: unknown): string {
  try {
    return value instanceof Error ? value.message : String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** The `errno` code (`ENOENT`, `ENOSPC`, …) of a system error, if it is one. */
export function systemCodeOf(value: unknown): string | undefined {
  if (!(value instanceof Error) || !("code" in value)) return undefined;
  return typeof value.code === "string" ? value.code : undefined;
}
