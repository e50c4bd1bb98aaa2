/** What an agent says in a turn: it comes in pieces of a few letters, and is passed on in whole lines. */
export class Speech {
  readonly #pass: (text: string) => void;
  #pending = "";
  /** What it said since its last tool, and what it said before. */
  #last = "";
  #before = "";

  constructor(pass: (text: string) => void) {
    this.#pass = pass;
  }

  /** Whether it has said nothing since its last tool. */
  get isSilent(): boolean {
    return this.#last.trim() === "";
  }

  say(text: string): void {
    this.#last += text;
    this.#pending += text;
    const end = this.#pending.lastIndexOf("\n");
    if (end < 0) return;
    const lines = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end + 1);
    if (lines !== "") this.#pass(lines);
  }

  /** It uses a tool. */
  pause(): void {
    this.#flush();
    if (!this.isSilent) this.#before = this.#last;
    this.#last = "";
  }

  /** The turn is over. Returns its last words. */
  end(): string {
    this.#flush();
    return this.isSilent ? this.#before : this.#last;
  }

  #flush(): void {
    if (this.#pending !== "") this.#pass(this.#pending);
    this.#pending = "";
  }
}
