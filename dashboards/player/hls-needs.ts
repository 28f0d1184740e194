/** What hls.js takes from other packages, in as many lines as it uses of them. See slim-hls.ts. */

type Listener = (...args: unknown[]) => void;

interface Listening {
  call: Listener;
  context: unknown;
  once: boolean;
}

export class EventEmitter {
  private readonly heard = new Map<string, Listening[]>();

  on(event: string, call: Listener, context: unknown = this, once = false): this {
    this.heard.set(event, [...(this.heard.get(event) ?? []), { call, context, once }]);
    return this;
  }

  once(event: string, call: Listener, context?: unknown): this {
    return this.on(event, call, context, true);
  }

  off(event: string, call?: Listener, context?: unknown, once?: boolean): this {
    const stays = (one: Listening) =>
      call && (one.call !== call || (once && !one.once) || (context && one.context !== context));
    this.heard.set(event, (this.heard.get(event) ?? []).filter(stays));
    return this;
  }

  removeAllListeners(event?: string): this {
    if (event) this.heard.delete(event);
    else this.heard.clear();
    return this;
  }

  listeners(event: string): Listener[] {
    return (this.heard.get(event) ?? []).map(({ call }) => call);
  }

  listenerCount(event: string): number {
    return this.heard.get(event)?.length ?? 0;
  }

  emit(event: string, ...args: unknown[]): boolean {
    const all = this.heard.get(event) ?? [];
    for (const { call, context, once } of all) {
      if (once) this.off(event, call, undefined, true);
      call.apply(context, args);
    }
    return all.length > 0;
  }
}

export function buildAbsoluteURL(base: string, address: string): string {
  return new URL(address, base).href;
}

/** With `toNull`, up to the first zero byte. */
export function utf8ArrayToStr(bytes: Uint8Array, toNull = false): string {
  const text = new TextDecoder().decode(bytes);
  return toNull ? (text.split("\0")[0] ?? "") : text;
}

export function uuid(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}
