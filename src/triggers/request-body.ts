import type { IncomingMessage, ServerResponse } from "node:http";

import { MOST_BODY_BYTES } from "./webhook-body.ts";

const MOST_AFTERWARDS_BYTES = MOST_BODY_BYTES;

/** Reads a body; nothing, where it is larger than a hook takes. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    request.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= MOST_BODY_BYTES) pieces.push(piece);
      else {
        pieces.length = 0;
        request.removeAllListeners("data");
        resolve(undefined);
      }
    });
    request.once("end", () => resolve(Buffer.concat(pieces)));
    request.once("close", () => reject(new Error("the sender has gone away")));
  });
}

/** Throws away what still comes, for a little, so that the answer arrives; and then hangs up. */
export function endSoon({ socket }: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;

  socket.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > MOST_AFTERWARDS_BYTES) socket.destroy();
  });
  response.once("finish", () => socket.setTimeout(1000, () => socket.destroy()));
}
