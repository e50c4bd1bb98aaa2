import { groupBy } from "../base/group.ts";
import type { SIGNATURES } from "../engine/trigger.ts";
import { checkSignature, type SignedRequest } from "./signature.ts";
import type { HookName, WebhookSecrets } from "./webhook-secrets.ts";

/** A hook that a trigger of a repository waits for. */
export interface HookWish extends HookName {
  readonly signature: (typeof SIGNATURES)[number];
}

/** Whose hook it is that somebody has called who knows its secret. */
export interface CalledHook extends HookWish {
  readonly delivery: string | undefined;
}

interface Hook extends HookWish {
  readonly secret: string;
}

const NO_HOOK: Hook = { repositoryId: "", hook: "", signature: "github", secret: "-" };

/** The hooks that triggers wait for, with their secrets. */
export class HookBook {
  readonly #secrets: WebhookSecrets;
  #wanted: readonly HookWish[] = [];
  #hooks = new Map<string, Hook[]>();

  constructor(secrets: WebhookSecrets) {
    this.#secrets = secrets;
  }

  /** Each hook once, whether or not anybody can call it. */
  get wanted(): readonly HookWish[] {
    return this.#wanted;
  }

  want(wishes: readonly HookWish[]): void {
    this.#wanted = [...new Map(wishes.map((wish) => [`${wish.repositoryId}/${wish.hook}`, wish])).values()];
  }

  /** Reads the secrets of what is wanted. */
  async load(): Promise<void> {
    const hooks = this.#wanted.map(async (wish) => ({ ...wish, secret: await this.#secrets.load(wish) }));
    this.#hooks = groupBy(await Promise.all(hooks), ({ hook }) => hook);
  }

  async renew(name: HookName): Promise<string> {
    const secret = await this.#secrets.renew(name);
    const hooks = this.#hooks.get(name.hook) ?? [];
    this.#hooks.set(
      name.hook,
      hooks.map((hook) => (hook.repositoryId === name.repositoryId ? { ...hook, secret } : hook)),
    );
    return secret;
  }

  has(name: string): boolean {
    return this.#hooks.has(name);
  }

  /**
   * The hook whose secret a request knows: hooks of several repositories may have one name. One that does not exist
   * takes as long as one that does.
   */
  find(name: string, request: SignedRequest, nowMs: number): CalledHook | undefined {
    for (const hook of this.#hooks.get(name) ?? [NO_HOOK]) {
      const proof = checkSignature(hook.signature, hook.secret, request, nowMs);
      if (proof.valid && hook !== NO_HOOK) return { ...hook, delivery: proof.delivery };
    }
    return undefined;
  }
}
