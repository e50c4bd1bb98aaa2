/**
 * Remembers the values used last, within a number of entries and a total weight.
 *
 * @example
 * const trees = new Recent<Tree>({ entries: 1000, weight: 8 * 1024 * 1024 });
 */
export class Recent<Value> {
  readonly #limits: { readonly entries: number; readonly weight: number };
  // A map keeps the order of insertion, so its first key is the one not used for longest.
  readonly #values = new Map<string, { readonly value: Value; readonly weight: number }>();
  #weight = 0;

  constructor(limits: { readonly entries: number; readonly weight: number }) {
    this.#limits = limits;
  }

  get(key: string): Value | undefined {
    const found = this.#values.get(key);
    if (found === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, found);
    return found.value;
  }

  set(key: string, value: Value, weight = 1): void {
    this.#forget(key);
    if (weight > this.#limits.weight) return;
    this.#values.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#limits.entries && this.#weight <= this.#limits.weight) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#weight -= this.#values.get(key)?.weight ?? 0;
    this.#values.delete(key);
  }
}
