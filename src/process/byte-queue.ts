const SMALLEST_BYTES = 64 * 1024;
const KEPT_BYTES = 1024 * 1024;

/** Bytes that come in pieces and are taken from the front; what has come can be looked at as one. */
export class ByteQueue {
  #buffer = Buffer.allocUnsafe(SMALLEST_BYTES);
  #start = 0;
  #end = 0;

  get sizeBytes(): number {
    return this.#end - this.#start;
  }

  push(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#buffer.length) this.#makeRoom(piece.length);
    this.#buffer.set(piece, this.#end);
    this.#end += piece.length;
  }

  /** What has come and was not taken. It is overwritten by later calls. */
  bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** A copy of the first bytes, which are then gone from the queue. */
  take(sizeBytes: number): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(this.#start, this.#start + sizeBytes));
    this.#start += sizeBytes;
    if (this.#start === this.#end) {
      [this.#start, this.#end] = [0, 0];
      if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(SMALLEST_BYTES);
    }
    return taken;
  }

  #makeRoom(moreBytes: number): void {
    const needed = this.sizeBytes + moreBytes;
    const isWide = this.#buffer.length >= 2 * needed;
    const target = isWide ? this.#buffer : Buffer.allocUnsafe(Math.max(SMALLEST_BYTES, 2 * needed));
    this.#buffer.copy(target, 0, this.#start, this.#end);
    [this.#buffer, this.#start, this.#end] = [target, 0, this.sizeBytes];
  }
}
