/** Who buys on this page: signed in or a guest, and the proof that it is they. */

import type { CheckoutApi, Me, OwnCopy, Shopper } from "@simulcast/api";
import { madePasskey, passkeysPossible, signedByPasskey } from "./passkeys";

/** The calls it makes; `CheckoutApi` has them. */
export type AccountApi = Pick<
  CheckoutApi,
  | "me"
  | "sendCode"
  | "signIn"
  | "signOut"
  | "join"
  | "forgetMethod"
  | "askCopy"
  | "copy"
  | "copyFile"
  | "passkeyWish"
  | "passkeyMade"
  | "passkeyQuestion"
  | "passkeyAnswer"
>;

export class Account {
  shopper: Shopper | null = null;

  constructor(
    private readonly api: AccountApi,
    private readonly onChange: () => void,
  ) {}

  load = async (): Promise<void> => this.known(await this.api.me());
  sendCode = (email: string): Promise<void> => this.api.sendCode(email);
  enter = async (email: string, code: string): Promise<void> => this.known(await this.api.signIn(email, code));
  join = async (): Promise<void> => this.known(await this.api.join());

  async forget(methodId: string): Promise<void> {
    await this.api.forgetMethod(methodId);
    await this.load();
  }

  /** Their own copy of what is kept about them. */
  askCopy = (): Promise<OwnCopy> => this.api.askCopy();
  copy = (): Promise<OwnCopy> => this.api.copy();
  copyFile = (): Promise<Blob> => this.api.copyFile();

  async leave(): Promise<void> {
    await this.api.signOut();
    this.shopper = null;
    this.onChange();
  }

  /** A passkey in place of a code; false when the buyer would rather not. */
  async byPasskey(): Promise<boolean> {
    const signed = await signedByPasskey(await this.api.passkeyQuestion());
    if (signed) this.known(await this.api.passkeyAnswer(signed));
    return signed !== null;
  }

  /** That it is they, by their passkey: a code by mail does not do. Why not, and what to do; "" when it is shown. */
  async confirm(): Promise<string> {
    if (!this.passkeys) return "This card needs your passkey, and this browser can't ask for it. Choose another card.";
    if (await this.byPasskey()) return "";
    return "Your device did not confirm that it is you. Nothing was charged. Try again, or choose another card.";
  }

  async register(): Promise<boolean> {
    const made = await madePasskey(await this.api.passkeyWish());
    if (!made) return false;
    await this.api.passkeyMade(made);
    await this.load();
    return true;
  }

  /** Whether showing a face or a finger is offered. */
  get passkeys(): boolean {
    return passkeysPossible();
  }

  private known({ shopper }: Me): void {
    this.shopper = shopper;
    this.onChange();
  }
}
