import { toAnabranchError } from "../../base/errors.ts";
import { faultPoint } from "../../base/fault.ts";
import { newId } from "../../base/ids.ts";
import { Semaphore } from "../../base/semaphore.ts";
import type { DeadLetterKind } from "../../store/dead-letters.ts";
import { updateFiring, type FiringPatch, type FiringRow } from "../../store/firings.ts";
import type { NoticeRow } from "../../store/notices.ts";
import { putOutbox } from "../../store/outbox.ts";
import type { Statement } from "../../store/port.ts";
import type { Reason } from "../../store/runs.ts";
import type { Parts } from "../parts.ts";
import { isTemporary } from "../patience.ts";
import type { Reconciler } from "../reconciler.ts";
import { bury } from "./dead-letter.ts";
import { startFiring, type Fired } from "./firing-start.ts";
import type { OpenFiringBook } from "./open-firings.ts";
import type { TriggerBook } from "./trigger-book.ts";
import { describeFiring } from "./trigger-words.ts";

const STARTS_AT_ONCE = 4;
const RETRY_MS = 5000;

/** What firings are run with. */
export interface FiringRunnerParts {
  readonly parts: Parts;
  readonly reconciler: Reconciler;
  readonly book: TriggerBook;
  readonly open: OpenFiringBook;
  /** Whether the triggers of a repository act, as its file is now. */
  readonly acts: (repositoryId: string) => Promise<boolean>;
  /** What waits is to be looked at again. */
  readonly wake: () => void;
}

/** Takes firings from waiting to their end; `trigger-engine.ts` opens with their states. */
export class FiringRunner {
  readonly #parts: Parts;
  readonly #reconciler: Reconciler;
  readonly #book: TriggerBook;
  readonly #open: OpenFiringBook;
  readonly #acts: FiringRunnerParts["acts"];
  readonly #wake: () => void;
  readonly #starts = new Semaphore(STARTS_AT_ONCE);

  constructor({ parts, reconciler, book, open, acts, wake }: FiringRunnerParts) {
    this.#parts = parts;
    this.#reconciler = reconciler;
    this.#book = book;
    this.#open = open;
    this.#acts = acts;
    this.#wake = wake;
  }

  /** Starts, replaces, cancels and drops what waits, group by group. */
  async arrange(): Promise<void> {
    for (const group of this.#open.touched()) {
      const spec = group.newest === undefined ? undefined : this.#book.find(group.newest.triggerId)?.trigger.spec.group;
      const decision = group.decide(spec, (firing) => this.#mayStart(firing));
      for (const id of decision.replace) await this.#endById(id, "replaced", "a newer one waits in its place");
      for (const id of decision.drop) await this.#endById(id, "dropped", "one was running when it came");
      for (const id of decision.cancel) await this.#cancel(id);
      for (const id of decision.start) this.#begin(id);
    }
  }

  #mayStart({ triggerId, repositoryId }: FiringRow): boolean {
    const set = this.#book.get(repositoryId);
    return set?.isAgreed === true && set.triggers.get(triggerId)?.state === "active";
  }

  #begin(id: string): void {
    const firing = this.#open.get(id);
    if (firing === undefined) return;
    this.#open.starting(id);
    void this.#starts.run(() => this.#start(firing));
  }

  async #start(firing: FiringRow): Promise<void> {
    const found = this.#book.find(firing.triggerId);
    try {
      if (found === undefined || !(await this.#acts(firing.repositoryId))) {
        this.#open.started(firing.id);
        return;
      }
      await this.#run({ firing, ...found });
    } catch (cause) {
      if (isTemporary(cause)) {
        this.#parts.clock.after(RETRY_MS, () => {
          this.#open.started(firing.id);
          this.#wake();
        });
        return;
      }
      const { kind: _kind, ...reason } = toAnabranchError(cause).toJSON();
      this.#parts.log("warn", "a firing could not be started", { firing: firing.id, cause: reason.message });
      await this.#bury(firing, reason.code === "BUDGET_SPENT" ? "budget" : "start", reason).catch(() => undefined);
    }
    this.#wake();
  }

  async #run(fired: Fired): Promise<void> {
    const { firing, trigger } = fired;
    const notify = this.#notify(fired);
    if (trigger.spec.workflow === undefined) {
      await this.#change(firing, { state: "ended", endedMs: this.#parts.clock.wallMs() }, notify);
      return;
    }
    const run = await startFiring(this.#parts, this.#reconciler, fired, await this.#book.fileOf(fired.set));
    faultPoint("firing.started");
    const running = await this.#change(firing, { state: "running", run: run.row.id }, notify);
    // A newer one may have wanted its place while it was being started.
    if (this.#open.isCancelling(firing.id)) await this.#cancel(firing.id);
    // Its end may have been read before anybody knew whose it is.
    if (run.row.state === "ended") await this.#change(running, { state: "ended", endedMs: this.#parts.clock.wallMs() });
  }

  #notify({ firing, trigger }: Fired): Statement[] {
    const { title, detail } = describeFiring(trigger.spec, firing);
    return trigger.spec.notify.map((target) =>
      putOutbox({
        id: newId(this.#parts.random),
        key: `firing:${firing.id}:${target}`,
        repositoryId: firing.repositoryId,
        target,
        record: { kind: "trigger", title, text: detail, command: `anabranch triggers show ${trigger.spec.name}` },
        createdMs: this.#parts.clock.wallMs(),
      }),
    );
  }

  async #cancel(id: string): Promise<void> {
    const run = this.#parts.book.get(this.#open.get(id)?.run ?? "");
    this.#open.cancelling(id);
    if (run !== undefined) await this.#reconciler.cancel(run, undefined, false);
  }

  async #endById(id: string, state: "replaced" | "dropped", message: string): Promise<void> {
    const firing = this.#open.get(id);
    if (firing !== undefined) await this.end(firing, state, { code: "SKIPPED", message });
  }

  /** Ends a firing that comes to nothing, because of others. */
  async end(firing: FiringRow, state: "replaced" | "dropped", reason: Reason): Promise<void> {
    await this.#change(firing, { state, reason, endedMs: this.#parts.clock.wallMs() });
    if (firing.notice !== undefined) await this.#parts.notices.withdraw(firing.notice);
  }

  /** A firing that never starts is kept as a dead letter. */
  async #bury(firing: FiringRow, kind: DeadLetterKind, reason: Reason): Promise<void> {
    const { triggerId, repositoryId, cause, events } = firing;
    const atMs = this.#parts.clock.wallMs();
    const name = triggerId.slice(triggerId.indexOf("/") + 1);
    const title = `${name} did not start: ${reason.message}`;
    const record = { title, reason, trigger: triggerId, seq: events.lastSeq, cause };
    const letter = bury(this.#parts, { key: `${kind} ${firing.id}`, repositoryId, kind, record });
    await this.#change(firing, { state: "dead", reason, endedMs: atMs }, letter);
  }

  async #change(firing: FiringRow, patch: FiringPatch, also: readonly Statement[] = []): Promise<FiringRow> {
    await this.#parts.store.commit([updateFiring(firing, patch), ...also]);
    const after = { ...firing, ...patch, version: firing.version + 1 };
    this.#open.put(after);
    return after;
  }

  /** A person has answered, or nobody has in time. */
  async settleApproval(firing: FiringRow, { state, record, id }: NoticeRow): Promise<void> {
    if (state === "approved") {
      await this.#change(firing, { state: "queued" });
      return;
    }
    const code = state === "expired" ? "APPROVAL_EXPIRED" : "APPROVAL_DENIED";
    const said = record.answer === undefined ? "" : `: ${record.answer}`;
    const message = state === "expired" ? "nobody has answered in time" : `a person said no${said}`;
    const hint = "anabranch events --dead; anabranch events replay ID asks again";
    await this.#bury(firing, "approval", { code, message, hint, data: { notice: id } });
  }
}
