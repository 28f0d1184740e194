import "./sign-in.css";
import { PrivacyApi } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { go, PATHS } from "../navigation";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";

/** Who was invited chooses a password. The token stands behind the #, which no server is told. */
export function Invite() {
  const api = useMemo(() => new PrivacyApi(), []);
  const [token] = useState(() => location.hash.slice(1));
  const [password, setPassword] = useState("");
  const accept = useMutation({
    mutationFn: () => api.accept(token, password),
    onSuccess: () => go(PATHS.shows),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!accept.isPending) accept.mutate();
  };
  return (
    <main className="alone">
      <title>Welcome · Studio</title>
      <h1>Welcome</h1>
      <p className="quiet-text">Choose a password. Then sign in with your e-mail address.</p>
      <form className="card stack" onSubmit={submit}>
        <TextField
          label="Password"
          type="password"
          name="password"
          autoComplete="new-password"
          required
          minLength={10}
          autoFocus
          help="At least 10 characters."
          value={password}
          onText={setPassword}
        />
        <Problem error={accept.error} />
        <button className="primary" aria-disabled={accept.isPending}>
          {accept.isPending ? "Saving…" : "Choose this password"}
        </button>
      </form>
    </main>
  );
}
