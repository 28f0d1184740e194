/** A form over a saved document: what is typed, what is wrong with it, save, and back to what is saved. */

import { ApiError } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import type { Problems } from "./shop-draft";

interface Options<Saved, Draft> {
  /** As the hub has it now. */
  before: Draft;
  problemsOf: (draft: Draft) => Problems;
  send: (draft: Draft) => Promise<Saved>;
  onSaved: (now: Saved) => void;
}

export function useSettingsForm<Saved, Draft extends object>(options: Options<Saved, Draft>) {
  const { before, problemsOf, send, onSaved } = options;
  // Null: nothing was touched, so that what others save meanwhile is shown.
  const [edited, setEdited] = useState<Draft | null>(null);
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const save = useMutation({
    mutationFn: send,
    onSuccess: (now, sent) => {
      onSaved(now);
      setTried(false);
      setEdited((current) => (current === sent ? null : current)); // typing went on meanwhile
    },
    onError: () => showProblem(form.current),
  });
  const draft = edited ?? before;
  const dirty = JSON.stringify(draft) !== JSON.stringify(before);
  const problems = problemsOf(draft);
  const change = (part: Partial<Draft>) => {
    setEdited((current) => ({ ...(current ?? before), ...part }));
    if (!save.isPending) save.reset(); // its notice was about what is gone
  };
  const discard = () => {
    setEdited(null);
    setTried(false);
    save.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(problems).length) showProblem(form.current);
    else if (dirty && !save.isPending) save.mutate(draft);
  };
  const told: Problems = { ...refusedFields(save.error), ...(tried ? problems : {}) };
  const { isPending: busy, error } = save;
  return { form, draft, told, change, submit, discard, dirty, busy, error, saved: save.isSuccess && !dirty };
}

/** The hub's own word on single fields, by their names. */
export function refusedFields(error: unknown): Problems {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries((error.problem.fields ?? []).map(({ field, why }) => [field, why]));
}

function showProblem(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
}
