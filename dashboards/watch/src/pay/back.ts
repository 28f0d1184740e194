/** Coming back from the bank's own page: what it put into our address. */

const ANSWERS = ["redirectResult", "payment_intent", "payment_intent_client_secret", "redirect_status"];

/** What a redirect brought, for the server to confirm with; null when this is no return from a bank. */
export function answerIn(address: string): Record<string, string> | null {
  const query = new URL(address, location.href).searchParams;
  const found = ANSWERS.filter((name) => query.has(name)).map((name) => [name, query.get(name) ?? ""]);
  return found.length > 0 ? (Object.fromEntries(found) as Record<string, string>) : null;
}

/** The address without it: a reload, or a link sent to a friend, must not answer twice. */
export function withoutAnswer(address: string): string {
  const url = new URL(address, location.href);
  for (const name of ANSWERS) url.searchParams.delete(name);
  return url.href;
}
