import { describe, expect, it } from "vitest";
import { Account, type AccountApi } from "../src/account";

describe("a kept card that wants a passkey", () => {
  it("says in a browser without passkeys what can be done there", async () => {
    const account = new Account({} as AccountApi, () => undefined);
    expect(account.passkeys).toBe(false);
    expect(await account.confirm()).toMatch(/can't ask for it\. Choose another card\.$/);
  });
});
