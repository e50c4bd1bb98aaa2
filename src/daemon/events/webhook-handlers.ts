import { AnabranchError } from "../../base/errors.ts";
import type { HookView, WebhookListing } from "../../protocol/commands/webhooks.ts";
import { loadRepositories } from "../../store/repositories.ts";
import type { HookWish } from "../../triggers/hook-book.ts";
import type { HandlerContext, Handlers } from "../handlers.ts";
import { repositoryAround } from "../resolve.ts";

type WebhookHandlers = Pick<Handlers, "webhooks" | "webhooks-show" | "webhooks-rotate">;

/** Makes the handlers of what people ask about webhooks. */
export function createWebhookHandlers(context: HandlerContext): WebhookHandlers {
  return {
    webhooks: ({ directory }) => list(context, directory, false),

    "webhooks-show": ({ directory }) => list(context, directory, true),

    async "webhooks-rotate"({ directory, hook: name }) {
      const wishes = await wishesOf(context, directory);
      const wish = wishes.find(({ hook }) => hook === name);
      if (wish === undefined) {
        throw new AnabranchError("NOT_FOUND", {
          message: `no enabled trigger here waits for webhook ${JSON.stringify(name)}`,
          hint: wishes.length === 0 ? "anabranch triggers enable" : "anabranch webhooks",
        });
      }
      const secret = await context.hooks.renew(wish);
      return { ...view(context, wish, await rootsOf(context)), secret };
    },
  };
}

async function list(
  context: HandlerContext,
  directory: string | undefined,
  withSecrets: boolean,
): Promise<WebhookListing> {
  const [wishes, roots] = await Promise.all([wishesOf(context, directory), rootsOf(context)]);
  const hooks = wishes.map(async (wish) => ({
    ...view(context, wish, roots),
    ...(withSecrets ? { secret: await context.hooks.secretOf(wish) } : {}),
  }));
  const { state } = context.hooks;
  return {
    state: state.state,
    ...(state.state === "failed" ? { why: state.why } : {}),
    hooks: await Promise.all(hooks),
  };
}

async function wishesOf({ parts, hooks }: HandlerContext, directory: string | undefined): Promise<readonly HookWish[]> {
  if (directory === undefined) return hooks.wanted();
  const repositoryId = await repositoryAround(parts, directory);
  return hooks.wanted().filter((wish) => wish.repositoryId === repositoryId);
}

async function rootsOf({ parts }: HandlerContext): Promise<ReadonlyMap<string, string>> {
  return new Map((await loadRepositories(parts.store)).map(({ id, root }) => [id, root]));
}

function view({ hooks }: HandlerContext, wish: HookWish, roots: ReadonlyMap<string, string>): HookView {
  const { state } = hooks;
  return {
    hook: wish.hook,
    signature: wish.signature,
    root: roots.get(wish.repositoryId) ?? "",
    ...(state.state === "listening" ? { address: `${state.address}/hooks/${wish.hook}` } : {}),
  };
}
