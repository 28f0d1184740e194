import type { PlatformTokens } from "@simulcast/api";
import { TextField } from "../parts/text-field";

interface Props {
  required: boolean;
  tokens: PlatformTokens;
  problem: string | undefined;
  onTokens: (tokens: PlatformTokens) => void;
}

/** The login itself, where a platform gives one out as tokens. */
export function TokenFields({ required, tokens, problem, onTokens }: Props) {
  const { refresh: _, ...withoutRefresh } = tokens;
  const fields = (
    <div className="stack">
      <TextField
        label="Access token"
        help="From the platform's developer page."
        type="password"
        autoComplete="new-password"
        problem={problem}
        value={tokens.access}
        onText={(text) => onTokens({ ...tokens, access: text.trim() })}
      />
      <TextField
        label="Refresh token"
        help="With it the login renews itself. Leave it empty if you were given none."
        type="password"
        autoComplete="new-password"
        value={tokens.refresh ?? ""}
        onText={(text) => onTokens(text.trim() ? { ...tokens, refresh: text.trim() } : withoutRefresh)}
      />
    </div>
  );
  if (required) return fields;
  return (
    <details>
      <summary>I was given an access token</summary>
      {fields}
    </details>
  );
}
