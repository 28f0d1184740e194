/** Asks for consent, once, and knows what is allowed. No looks: `ConsentBanner` draws it. */

import { ApiError, type ConsentApi, type ConsentClick, type ConsentQuestion, type ConsentWords } from "@simulcast/api";
import { type Choice, consentMode, type ConsentMode, NOTHING } from "./allowed";
import { ASK_AGAIN_MS, type Memory } from "./memory";

export interface DeskOptions {
  api: Pick<ConsentApi, "question" | "answer">;
  memory: Memory;
  now: () => number;
  /** `navigator.globalPrivacyControl`. */
  gpc: boolean;
  /** The viewer's languages, the best first. */
  languages: readonly string[];
  /** Inside another site's page nothing is asked and nothing kept. */
  framed: boolean;
  /** Anything that is shown, or allowed, has changed. */
  onChange: () => void;
}

export class ConsentDesk {
  /** The banner is on the page. */
  asking = false;
  detailed = false;
  busy = false;
  problem = "";
  /** What the boxes say while the details are open. */
  draft: Choice = NOTHING;
  private question: ConsentQuestion | null = null;
  private answer: Choice = NOTHING;

  constructor(private readonly options: DeskOptions) {}

  /** Once, when the page is there. `kept`: this browser has the viewer's cookie. */
  async open(kept: boolean): Promise<void> {
    const { api, framed } = this.options;
    if (framed) return;
    this.question = await api.question().catch(() => null); // without it nothing is allowed
    const before = this.known();
    if (!this.question) return;
    if (before) this.answer = before;
    else this.asking = true;
    this.options.onChange();
    // A cookie that was allowed is gone: it was cleared, or this page was opened by another name.
    if (before?.analytics && !kept) await this.tell("remembered", before).catch(() => undefined);
  }

  /** Ads are never allowed while the browser asks not to share. */
  get allowed(): Choice {
    return { analytics: this.answer.analytics, ads: this.answer.ads && !this.gpc };
  }

  get mode(): ConsentMode {
    return consentMode(this.allowed);
  }

  get gpc(): boolean {
    return this.options.gpc || (this.question?.gpc ?? false);
  }

  /** Hosts of the brand's own shop. */
  get shops(): readonly string[] {
    return this.question?.shops ?? [];
  }

  /** In the viewer's language, else in English, else in whichever there is; null: nothing to say. */
  get words(): ConsentWords | null {
    return this.question?.words[this.language] ?? null;
  }

  get language(): string {
    const there = Object.keys(this.question?.words ?? {});
    for (const wanted of this.options.languages) {
      const short = wanted.split("-")[0];
      const found = there.find((one) => one === wanted) ?? there.find((one) => one.split("-")[0] === short);
      if (found) return found;
    }
    return there.find((one) => one.startsWith("en")) ?? there[0] ?? "en";
  }

  /** From the foot of the page. */
  reopen(): void {
    this.draft = this.answer;
    [this.asking, this.detailed, this.problem] = [true, true, ""];
    this.options.onChange();
  }

  details(): void {
    this.draft = this.answer;
    this.detailed = !this.detailed;
    this.options.onChange();
  }

  /** One box of the details. */
  mark(purpose: keyof Choice, on: boolean): void {
    this.draft = { ...this.draft, [purpose]: on };
    this.options.onChange();
  }

  allowAll = (): Promise<void> => this.choose("allow", { analytics: true, ads: true });
  onlyNeeded = (): Promise<void> => this.choose("needed", NOTHING);
  save = (): Promise<void> => this.choose("save", this.draft);

  /** Another tab of this browser was answered. */
  heard(): void {
    const answer = this.known();
    if (!answer) return;
    this.answer = answer;
    this.asking = false;
    this.options.onChange();
  }

  private async choose(clicked: ConsentClick, choice: Choice): Promise<void> {
    if (this.busy) return;
    [this.busy, this.problem] = [true, ""];
    // A no holds from the moment it is said; a yes, once it is on record.
    this.answer = both(this.answer, choice);
    this.options.onChange();
    try {
      await this.tell(clicked, choice);
      this.answer = choice;
      this.asking = false;
      this.options.memory.set({ ...choice, version: this.question?.version ?? 0, at: this.options.now() });
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : "This was not saved. Try again.";
    }
    this.busy = false;
    this.options.onChange();
  }

  private async tell(clicked: ConsentClick, { analytics, ads }: Choice): Promise<void> {
    const { version } = this.question ?? { version: 0 };
    await this.options.api.answer({ version, language: this.language, clicked, analytics, ads });
  }

  /** An answer to what is asked now, and not too long ago. */
  private known(): Choice | null {
    const found = this.options.memory.get();
    const fresh = found && found.version === this.question?.version && this.options.now() - found.at < ASK_AGAIN_MS;
    return fresh ? { analytics: found.analytics, ads: found.ads } : null;
  }
}

function both(one: Choice, other: Choice): Choice {
  return { analytics: one.analytics && other.analytics, ads: one.ads && other.ads };
}
