/** Lets actions with the same key run one after another, in the order they came; different keys do not wait. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs an action when all earlier ones of its key are over, however they ended. */
  run<Result>(key: string, action: () => Promise<Result>): Promise<Result> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(action);
    const over: Promise<void> = turn.then(ignore, ignore).then(() => {
      if (this.#last.get(key) === over) this.#last.delete(key);
    });
    this.#last.set(key, over);
    return turn;
  }
}

function ignore(): void {
  // Whoever asked for the turn learns how it ended.
}
