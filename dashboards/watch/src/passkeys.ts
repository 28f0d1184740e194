/** The browser's half of passkeys: JSON of the hub in, JSON of the device out. */

type Json = Record<string, unknown>;

/** Whether this page may ask for one: not without a name in its address, and not in old browsers. */
export function passkeysPossible(host = location.hostname): boolean {
  return "PublicKeyCredential" in globalThis && !/^[\d.]+$|:/.test(host) && window.isSecureContext;
}

/** A new passkey on this device. Null when the buyer would rather not. */
export function madePasskey(options: Json): Promise<Json | null> {
  const user = options.user as Json;
  return asked(() =>
    navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...user, id: bytes(user.id) },
        excludeCredentials: known(options.excludeCredentials),
      } as unknown as PublicKeyCredentialCreationOptions,
    }),
  );
}

/** The device's signature. Null when the buyer would rather not. */
export function signedByPasskey(options: Json): Promise<Json | null> {
  return asked(() =>
    navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        allowCredentials: known(options.allowCredentials),
      } as unknown as PublicKeyCredentialRequestOptions,
    }),
  );
}

async function asked(ask: () => Promise<Credential | null>): Promise<Json | null> {
  try {
    const found = (await ask()) as PublicKeyCredential | null;
    return found ? written(found) : null;
  } catch (error) {
    // Cancelled, timed out or already registered here: the buyer knows, and other ways stay open.
    if (error instanceof DOMException) return null;
    throw error;
  }
}

function written({ id, rawId, type, response }: PublicKeyCredential): Json {
  const parts: Json = { clientDataJSON: text(response.clientDataJSON) };
  const names = ["attestationObject", "authenticatorData", "signature", "userHandle"] as const;
  for (const name of names) {
    const part = (response as unknown as Record<string, ArrayBuffer | null>)[name];
    if (part) parts[name] = text(part);
  }
  return { id, rawId: text(rawId), type, response: parts, clientExtensionResults: {} };
}

function known(list: unknown): unknown[] {
  return ((list ?? []) as Json[]).map((one) => ({ ...one, id: bytes(one.id) }));
}

/** base64url, as WebAuthn writes bytes. */
export function bytes(encoded: unknown): Uint8Array<ArrayBuffer> {
  const plain = atob(String(encoded).replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function text(buffer: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
