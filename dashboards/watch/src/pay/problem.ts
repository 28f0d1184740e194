/** What a buyer is told when paying does not work: a sentence, and what to do next. */
export class PaymentProblem extends Error {
  override readonly name = "PaymentProblem";
}

export const SLOW_SCRIPT = "The card form takes too long to load. Check your connection and try again.";
export const NO_SCRIPT = "The card form could not be loaded. Switch off blockers for this page and try again.";
export const SLOW_FIELDS = "The card form does not answer. Try again. Nothing was charged.";
export const SLOW_BANK = "Your bank did not answer in time. Nothing was charged. Try again or use another card.";
export const BANK_CLOSED = "You left your bank's question. Nothing was charged. Try again or use another card.";
export const NO_BANK = "Your bank could not be asked. Nothing was charged. Try another card.";
export const INCOMPLETE = "Fill in all fields of the card.";
export const NOT_DRAWN = "The card form could not be shown. Reload the page and try again.";

export const FIELDS_MS = 20_000;
/** A person finds their phone, opens the bank's app, and types. */
export const BANK_MS = 10 * 60_000;

/** What the promise brings, or a PaymentProblem with this sentence once the time is up. */
export async function within<T>(ms: number, sentence: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PaymentProblem(sentence)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Any failure as a PaymentProblem: a gateway's own words are for developers, `sentence` is for buyers. */
export function problemOf(error: unknown, sentence: string): PaymentProblem {
  return error instanceof PaymentProblem ? error : new PaymentProblem(sentence);
}
