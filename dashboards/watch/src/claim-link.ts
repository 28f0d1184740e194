/** The link of a claim by comment (`?claim=CODE`): whose it is, and into this browser's cart with it. */

import { ApiError, type ClaimLink as Link, type ClaimLinkApi, type EventData } from "@simulcast/api";
import { asApiError } from "./checkout-parts";

export type LinkStep =
  | { name: "opening" }
  /** Everybody can read the link: whose is it? */
  | { name: "asking"; wrong: string; busy: boolean; expiresAt: string | null }
  /** `next`: what a button can still do. */
  | { name: "told"; title: string; why: string; next: "again" | "cart" | null };

export interface LinkSurroundings {
  api: Pick<ClaimLinkApi, "look" | "open">;
  /** Server time in ms. */
  now: () => number;
  onChange: () => void;
  /** The reservation is in this browser's cart. */
  onYours: () => void;
}

const OVER = "The time to pay for this ran out. Ask the host, or claim it again.";
/** Seconds between two names, where the hub does not say. */
const USUAL_WAIT = 2;
const TITLES: Record<string, string> = {
  claim_over: "This is over",
  claim_taken: "Opened in another browser",
  claim_closed: "This link is closed",
  claim_others: "Not in this browser",
  claim_unknown: "This link is not valid any more",
  other_show: "This link belongs to another show",
  limit: "Pay for the others first",
};

/** Opening one link. `step` is null while there is nothing to show. */
export class ClaimLink {
  step: LinkStep | null = null;
  private code = "";
  private name = "";

  constructor(private readonly around: LinkSurroundings) {}

  async follow(code: string): Promise<void> {
    if (!code) return;
    this.code = code;
    this.go({ name: "opening" });
    try {
      const link = await this.around.api.look(code);
      if (this.step?.name !== "opening") return; // thought better of
      if (link.state === "paid") this.tell("This is paid already", "There is nothing left to do.");
      else if (asks(link)) this.ask(link.expires_at);
      else await this.open(); // for what can't be opened, the hub has the words
    } catch (error) {
      this.refused(asApiError(error));
    }
  }

  /** With the name as it stands in the chat. */
  async give(name: string): Promise<void> {
    const { step } = this;
    if (step?.name !== "asking" || step.busy) return;
    if (!name.trim()) return this.go({ ...step, wrong: "Type your name as it stands in the chat." });
    this.name = name.trim();
    this.go({ ...step, busy: true, wrong: "" });
    try {
      const refusal = await this.open(step.expiresAt).then(() => null, asApiError);
      if (refusal && refusal.code !== "slow_down") throw refusal;
      // Names can't be gone through one after another: who mistyped theirs waits a moment, and need not press again.
      if (refusal) await pause((refusal.problem.retry_after ?? USUAL_WAIT) * 1_000);
      if (refusal && this.step) await this.open(step.expiresAt);
    } catch (error) {
      this.refused(asApiError(error));
    }
  }

  /** What was asked for once more, after the network was away. */
  async again(): Promise<void> {
    await this.follow(this.code);
  }

  /** A reservation that ran out is over, whatever the screen shows. */
  tick(): void {
    const { step } = this;
    if (step?.name !== "asking" || step.busy || !step.expiresAt) return;
    if (Date.parse(step.expiresAt) <= this.around.now()) this.tell(TITLES.claim_over ?? "", OVER);
  }

  dismiss(): void {
    this.go(null);
  }

  private async open(expiresAt: string | null = null): Promise<void> {
    const { hold_id: hold, wrong } = await this.around.api.open(this.code, this.name);
    if (!hold) return this.ask(expiresAt, wrong ?? "");
    const wanted = this.step !== null;
    this.go(null);
    if (wanted) this.around.onYours();
  }

  private ask(expiresAt: string | null, wrong = ""): void {
    if (this.step) this.go({ name: "asking", wrong, busy: false, expiresAt });
  }

  private refused(error: ApiError): void {
    if (!this.step) return;
    const title = TITLES[error.code] ?? "This link could not be opened";
    const next = error.code === "limit" ? "cart" : error.temporary ? "again" : null;
    this.tell(title, error.message, next);
  }

  private tell(title: string, why: string, next: "again" | "cart" | null = null): void {
    this.go({ name: "told", title, why, next });
  }

  private go(step: LinkStep | null): void {
    this.step = step;
    this.around.onChange();
  }
}

const pause = (ms: number) => new Promise<void>((done) => void setTimeout(done, ms));

function asks({ asks_name, opened, state }: Link): boolean {
  return asks_name && !opened && state === "held";
}

/** The code in an address; "" without one. */
export function claimIn(address: string): string {
  return new URL(address).searchParams.get("claim") ?? "";
}

/** The address without the code: it is a key. */
export function withoutClaim(address: string): string {
  const url = new URL(address);
  url.searchParams.delete("claim");
  return url.href;
}

/** What to say to who claimed in our own chat; "" when it is in their cart, where they see it. */
export function answerWords({ state, detail }: EventData["claim.answered"]): string {
  if (state === "held") return "";
  if (state === "queued") return "All of it is reserved. You are in line: if one is freed, it is put into your cart.";
  if (state === "unclear") return detail || "Which one? Write the number and the one you want, such as “sold 3 red”.";
  if (state === "sold_out") return "Sold out: nothing is reserved for you.";
  return detail || "Nothing is reserved for you.";
}
