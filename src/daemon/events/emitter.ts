import { AnabranchError } from "../../base/errors.ts";
import { faultPoint } from "../../base/fault.ts";
import { newId } from "../../base/ids.ts";
import { Recent } from "../../base/recent.ts";
import type { Cause } from "../../engine/cause.ts";
import { EVENT_TYPES } from "../../engine/trigger.ts";
import type { CommandRequest, CommandResponse } from "../../protocol/commands.ts";
import type { NewEvent } from "../../store/events.ts";
import { putTimedEvent } from "../../store/timed-events.ts";
import { findCaller, type CallerClaims } from "../caller.ts";
import type { Parts } from "../parts.ts";
import { repositoryOf } from "./event-stream.ts";

const MOST_DATA_BYTES = 256 * 1024;
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
/** Git is not asked again about a folder for so long. */
const SAME_FOLDER_MS = 5000;

/** Where an event comes from. */
interface Origin {
  readonly repositoryId: string;
  readonly run: string | undefined;
  readonly task: string | undefined;
  readonly cause: Cause | undefined;
}

/** Appends the events that people, scripts and tasks make themselves, at once or later. */
export class Emitter {
  readonly #parts: Parts;
  readonly #repositories = new Recent<{ readonly id: Promise<string>; readonly untilMs: number }>({
    entries: 100,
    weight: 100,
  });
  readonly #listeners = new Set<() => void>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Appends an event. What a task emits has what led to its run as its cause, however late it is appended.
   * @throws {AnabranchError} `EVENT_INVALID`
   */
  async emit(request: CommandRequest<"emit">, claims: CallerClaims): Promise<CommandResponse<"emit">> {
    const { clock, random, store, events } = this.#parts;
    const data = requireData(requireName(request.name), request.data);
    const origin = await this.#originOf(request.directory, claims);
    const nowMs = clock.wallMs();
    const type = `${EVENT_TYPES.customPrefix}${request.name}`;
    const key = request.key === undefined ? undefined : `emit/${origin.repositoryId}/${request.name}/${request.key}`;
    const event: NewEvent = { atMs: nowMs, type, ...origin, key, data };
    const dueMs = request.atMs ?? nowMs + (request.inMs ?? 0);
    if (dueMs <= nowMs) {
      const seq = await events.appendOne(event);
      return seq === undefined ? { type, already: true } : { type, seq, already: false };
    }
    await store.commit([putTimedEvent({ id: newId(random), dueMs, event })]);
    faultPoint("emit.timed");
    for (const listener of this.#listeners) listener();
    return { type, already: false, dueMs };
  }

  /** Calls `listener` when an event was put off. */
  onPutOff(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async #originOf(directory: string, claims: CallerClaims): Promise<Origin> {
    const caller = await findCaller(this.#parts, claims);
    const run = caller === undefined ? undefined : await this.#parts.book.find(caller.run);
    if (caller === undefined || run === undefined) {
      return { repositoryId: await this.#repositoryOf(directory), run: undefined, task: undefined, cause: undefined };
    }
    return { repositoryId: run.row.repositoryId, run: caller.run, task: caller.task, cause: run.row.cause };
  }

  // Whoever asks while git is asked about the same folder waits for that answer.
  #repositoryOf(directory: string): Promise<string> {
    const nowMs = this.#parts.clock.monotonicMs();
    const known = this.#repositories.get(directory);
    if (known !== undefined && nowMs < known.untilMs) return known.id;
    const id = repositoryOf(this.#parts, directory);
    this.#repositories.set(directory, { id, untilMs: nowMs + SAME_FOLDER_MS });
    id.catch(() => this.#repositories.set(directory, { id, untilMs: 0 }));
    return id;
  }
}

function requireName(name: string): string {
  if (NAME.test(name)) return name;
  throw new AnabranchError("EVENT_INVALID", {
    message: `${JSON.stringify(name.slice(0, 120))} is no name of an event: up to 100 letters, digits, ".", "-" and "_", a letter first`,
    hint: 'anabranch emit deploy.done --data \'{"stage": "beta"}\'',
  });
}

function requireData(name: string, data: unknown = {}): Readonly<Record<string, unknown>> {
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
  const bytes = isObject ? Buffer.byteLength(JSON.stringify(data)) : 0;
  if (isObject && bytes <= MOST_DATA_BYTES) return data as Readonly<Record<string, unknown>>;
  throw new AnabranchError("EVENT_INVALID", {
    message: isObject
      ? `the data of event ${name} take ${bytes.toLocaleString("en")} bytes; the most are ${MOST_DATA_BYTES.toLocaleString("en")}`
      : `the data of event ${name} are no JSON object`,
    hint: isObject
      ? "put them into a file, and its path into the event"
      : `anabranch emit ${name} --data '{"stage": "beta"}'`,
  });
}
