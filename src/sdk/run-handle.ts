import type { EventView, RunView } from "../protocol/views.ts";
import type { DaemonLink } from "./daemon-link.ts";

/** A run that was started. */
export interface RunHandle {
  readonly id: string;
  /** The run as it was when it started. */
  readonly view: RunView;
  /** Resolves with the run when it has ended, whatever its outcome. */
  wait(): Promise<RunView>;
  /** Its events, from the first on, until it ends. */
  events(): AsyncGenerator<EventView, void, undefined>;
  /** Stops all of its tasks and every run they have started. */
  cancel(options?: { readonly force?: boolean }): Promise<void>;
}

/** What a handle asks of the client that made it. */
interface RunClient {
  readonly ask: DaemonLink["ask"];
  acknowledge(ids: readonly string[]): Promise<void>;
  events(options: { readonly run: string; readonly follow: true }): AsyncGenerator<EventView, void, undefined>;
  cancel(id: string, options: { readonly force?: boolean }): Promise<void>;
}

/** Makes the handle of a run. */
export function createRunHandle(view: RunView, client: RunClient): RunHandle {
  const { id } = view;
  return {
    id,
    view,
    wait: () => waitFor(id, client),
    events: () => eventsOf(id, client),
    cancel: (options = {}) => client.cancel(id, options),
  };
}

async function waitFor(id: string, client: RunClient): Promise<RunView> {
  await client.ask("wait", { ids: [id] });
  const [run] = await Promise.all([client.ask("show", { id }), client.acknowledge([id])]);
  return run;
}

async function* eventsOf(id: string, client: RunClient): AsyncGenerator<EventView, void, undefined> {
  for await (const event of client.events({ run: id, follow: true })) {
    yield event;
    if (event.type === "run.ended") return;
  }
}
