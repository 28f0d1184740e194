import type { AccountChoice, PendingLink } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../api";
import { ALARMS, CONNECTIONS } from "../cache";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { plural } from "../parts/words";
import { Portrait } from "./portrait";

/** Which of the pages or channels that the login reaches; for a reconnection, exactly one. */
export function ChooseDialog({ pending, onClose }: { pending: PendingLink; onClose: () => void }) {
  const api = useApi();
  const cache = useQueryClient();
  const [chosen, setChosen] = useState<string[]>([]);
  const choose = useMutation({
    mutationFn: () => api.chooseAccounts(pending.id, chosen),
    onSuccess: async () => {
      await Promise.all([CONNECTIONS, ALARMS].map((queryKey) => cache.invalidateQueries({ queryKey })));
      onClose();
    },
  });
  const press = (id: string, on: boolean) => {
    if (pending.reconnect) setChosen([id]);
    else setChosen(on ? [...chosen, id] : chosen.filter((one) => one !== id));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen.length && !choose.isPending) choose.mutate();
  };
  const act = pending.reconnect ? "Reconnect" : `Link ${plural(chosen.length, "account")}`;
  return (
    <Dialog title={`Which accounts on ${pending.title}?`} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <fieldset>
          <legend className="quiet-text">
            {pending.reconnect
              ? "Choose the one that is to be connected again."
              : "Your login reaches these. Link those that your shows play on."}
          </legend>
          <ul className="reached">
            {pending.accounts.map((account) => (
              <li key={account.id}>
                <Choice
                  account={account}
                  one={pending.reconnect}
                  on={chosen.includes(account.id)}
                  onPress={(on) => press(account.id, on)}
                />
              </li>
            ))}
          </ul>
        </fieldset>
        <Problem error={choose.error} />
        <div className="row">
          <button className="primary" disabled={!chosen.length || choose.isPending}>
            {choose.isPending ? "Linking…" : act}
          </button>
          <button type="button" onClick={onClose}>
            Later
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface ChoiceProps {
  account: AccountChoice;
  one: boolean;
  on: boolean;
  onPress: (on: boolean) => void;
}

function Choice({ account, one, on, onPress }: ChoiceProps) {
  return (
    <label className="choice">
      <input
        type={one ? "radio" : "checkbox"}
        name="account"
        checked={on}
        onChange={(event) => onPress(event.target.checked)}
      />
      <Portrait name={account.title} url={account.picture_url} />
      <span className="wrap">
        <strong>{account.title}</strong>
        <span className="quiet-text">
          {[account.detail, account.linked && "linked already"].filter(Boolean).join(" · ")}
        </span>
      </span>
    </label>
  );
}
