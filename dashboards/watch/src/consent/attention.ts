/** How long the page is in front of somebody: told after ten seconds, then now and then, and when it goes. */

const FIRST_S = 10;
/** Well below the half hour of silence that ends a visit. */
const EVERY_S = 300;

export interface AttentionOptions {
  tell: (seconds: number) => void;
  /** In seconds; any origin. */
  now: () => number;
  page?: Document;
}

export class Attention {
  private since: number | null = null;
  private collected = 0;
  private told = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly page: Document;
  private readonly listeners = new AbortController();

  constructor(private readonly options: AttentionOptions) {
    this.page = options.page ?? document;
  }

  start(): void {
    const { signal } = this.listeners;
    this.page.addEventListener("visibilitychange", () => this.look(), { signal });
    this.look();
  }

  /** Tells the rest. */
  stop(): void {
    this.listeners.abort();
    this.pause();
  }

  private look(): void {
    if (this.page.visibilityState === "visible") this.resume();
    else this.pause();
  }

  private resume(): void {
    this.since ??= this.options.now();
    clearTimeout(this.timer);
    const next = this.told ? EVERY_S : Math.max(1, FIRST_S - this.collected);
    this.timer = setTimeout(() => {
      this.tell();
      this.resume();
    }, next * 1000);
  }

  private pause(): void {
    clearTimeout(this.timer);
    this.tell();
    this.since = null;
  }

  /** Whole seconds; what is left of one is kept for the next time. */
  private tell(): void {
    const now = this.options.now();
    if (this.since !== null) this.collected += now - this.since;
    if (this.since !== null) this.since = now;
    const whole = Math.min(Math.floor(this.collected), 1800);
    if (whole < 1) return;
    this.collected -= whole;
    this.told ||= whole >= FIRST_S;
    this.options.tell(whole);
  }
}
