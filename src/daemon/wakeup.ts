import { createSignal } from "../base/signal.ts";

/** Lets one waiter at a time sleep until somebody wakes it. A wake-up between two sleeps is not lost. */
export class Wakeup {
  #wake: () => void = () => undefined;
  readonly #signal = createSignal(async () => this.#wake());

  /** A sleep that ends with the first wake-up from now on. */
  next(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  wake(): void {
    this.#signal.raise();
  }
}
