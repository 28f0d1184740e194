import type { PlatformTokens } from "@simulcast/api";
import { TextField } from "../parts/text-field";

interface Props {
  /** What to paste and where it is found. */
  help: string;
  refreshes: boolean;
  tokens: PlatformTokens;
  problem: string | undefined;
  onTokens: (tokens: PlatformTokens) => void;
}

/** The login itself, where a platform gives one out as tokens. */
export function TokenFields({ help, refreshes, tokens, problem, onTokens }: Props) {
  const { refresh: _, ...withoutRefresh } = tokens;
  return (
    <>
      <TextField
        label="Access token"
        help={help}
        type="password"
        autoComplete="new-password"
        problem={problem}
        value={tokens.access}
        onText={(text) => onTokens({ ...tokens, access: text.trim() })}
      />
      {refreshes && (
        <TextField
          label="Refresh token"
          help="With it the login renews itself. Leave it empty if you were given none."
          type="password"
          autoComplete="new-password"
          value={tokens.refresh ?? ""}
          onText={(text) => onTokens(text.trim() ? { ...tokens, refresh: text.trim() } : withoutRefresh)}
        />
      )}
    </>
  );
}
