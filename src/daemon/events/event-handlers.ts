import { AnabranchError } from "../../base/errors.ts";
import { findDeadLetters, loadDeadLetters, replayDeadLetter, type DeadLetterRow } from "../../store/dead-letters.ts";
import { loadEventAt } from "../../store/events.ts";
import { loadFirings } from "../../store/firings.ts";
import { sendAgain } from "../../store/outbox.ts";
import { loadRepositories } from "../../store/repositories.ts";
import type { HandlerContext, Handlers } from "../handlers.ts";
import { repositoryAround } from "../resolve.ts";
import { requireTrigger } from "./trigger-desk.ts";
import { tryTriggers } from "./trigger-trial.ts";
import { viewDeadLetter, viewFiring, viewTriggers } from "./trigger-views.ts";

type EventHandlers = Pick<
  Handlers,
  | "triggers"
  | "triggers-show"
  | "triggers-enable"
  | "triggers-disable"
  | "triggers-pause"
  | "triggers-test"
  | "dead-letters"
  | "events-replay"
>;

const SHOWN_FIRINGS = 20;
const SHOWN_LETTERS = 1000;

/** Makes the handlers of what people and scripts ask about triggers and chains of events. */
export function createEventHandlers({ parts, triggers: { desk, engine } }: HandlerContext): EventHandlers {
  return {
    triggers: async ({ directory }) => viewTriggers(parts, desk, await desk.look(directory)),

    async "triggers-show"({ directory, name }) {
      const standing = await desk.look(directory);
      requireTrigger(standing, name);
      const set = await viewTriggers(parts, desk, standing);
      const trigger = set.triggers.find((one) => one.name === name);
      if (trigger === undefined) throw new AnabranchError("INTERNAL", { message: `trigger ${name} has no view` });
      const firings = await loadFirings(parts.store, `${standing.row.id}/${name}`, SHOWN_FIRINGS);
      return { set, trigger, firings: firings.map(viewFiring) };
    },

    async "triggers-enable"({ directory, contentHash, environment }) {
      return viewTriggers(parts, desk, await desk.enable(directory, contentHash, environment));
    },

    "triggers-disable": async ({ directory }) => viewTriggers(parts, desk, await desk.disable(directory)),

    async "triggers-pause"({ directory, name, paused }) {
      return viewTriggers(parts, desk, await desk.pause(directory, name, paused));
    },

    async "triggers-test"({ directory, event }) {
      return tryTriggers(parts, await desk.look(directory), event);
    },

    async "dead-letters"({ directory }) {
      const repositoryId = await repositoryAround(parts, directory);
      const roots = new Map((await loadRepositories(parts.store)).map(({ id, root }) => [id, root]));
      const letters = await loadDeadLetters(parts.store, SHOWN_LETTERS);
      return letters
        .filter((letter) => directory === undefined || letter.repositoryId === repositoryId)
        .map((letter) => viewDeadLetter(letter, roots.get(letter.repositoryId ?? "")));
    },

    async "events-replay"({ id }) {
      const letter = await requireLetter(id);
      const { trigger, seq, delivery } = letter.record;
      const replayed = replayDeadLetter(letter, parts.clock.wallMs());
      if (delivery !== undefined) {
        await parts.store.commit([replayed, sendAgain(delivery, parts.clock.wallMs())]);
        return { letter: viewDeadLetter(letter), delivery };
      }
      const event = seq === undefined ? undefined : await loadEventAt(parts.store, seq);
      if (trigger === undefined || event === undefined) throw gone(letter, "its event is no longer kept");
      const firing = await engine.replay(trigger, event, [replayed]);
      if (firing === undefined) throw gone(letter, "its trigger is not enabled");
      return { letter: viewDeadLetter(letter), firing: firing.id };
    },
  };

  async function requireLetter(start: string): Promise<DeadLetterRow> {
    const found = await findDeadLetters(parts.store, start);
    const [letter, other] = found;
    if (letter === undefined) {
      throw new AnabranchError("NOT_FOUND", {
        message: `there is no dead letter ${start}`,
        hint: "anabranch events --dead",
      });
    }
    if (other !== undefined) {
      throw new AnabranchError("AMBIGUOUS_ID", {
        message: `${start} may mean ${found.map((one) => one.id).join(" or ")}`,
        hint: "anabranch events --dead",
      });
    }
    return letter;
  }
}

function gone({ id }: DeadLetterRow, why: string): AnabranchError {
  return new AnabranchError("NOT_FOUND", {
    message: `dead letter ${id} cannot be replayed: ${why}`,
    hint: "anabranch triggers ls",
    data: { letter: id },
  });
}
