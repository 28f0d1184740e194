import "./sign-in.css";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../api";
import { SESSION } from "../cache";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";

export function SignIn() {
  const api = useApi();
  const cache = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => api.signIn(email.trim(), password),
    onSuccess: (session) => {
      cache.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION[0] });
      cache.setQueryData(SESSION, session);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!signIn.isPending) signIn.mutate();
  };
  return (
    <main className="alone">
      <title>Sign in · Studio</title>
      <h1>Studio</h1>
      <p className="quiet-text">Plan your show, send it everywhere, and run it from one page.</p>
      <form className="card stack" onSubmit={submit}>
        <TextField
          label="E-mail"
          type="email"
          name="email"
          autoComplete="username"
          required
          autoFocus
          value={email}
          onText={setEmail}
        />
        <TextField
          label="Password"
          type="password"
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onText={setPassword}
        />
        <Problem error={signIn.error} />
        <button className="primary" aria-disabled={signIn.isPending}>
          {signIn.isPending ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
