import type { ConversionAccount, ConversionsApi } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { CheckField } from "../parts/check-field";
import { Notice } from "../parts/notice";
import { Pill } from "../parts/pill";
import { Problem } from "../parts/problem";
import { useNow } from "../parts/use-now";
import { dateTime } from "../parts/words";
import { adviceFor, healthOf, purposeWords, share, tooOld } from "./conversion-words";
import { Refused } from "./refused";

interface Props {
  account: ConversionAccount;
  api: ConversionsApi;
  changed: (rows: ConversionAccount[]) => void;
  /** The figures have changed. */
  again: () => void;
}

/** One account: what it was told, what it was not and why, and a test. */
export function AccountCard({ account, api, changed, again }: Props) {
  const now = useNow(account.rest_until !== null);
  const health = healthOf(account);
  const advice = adviceFor(account, now);
  const called = account.name === account.title ? account.title : `${account.title}, ${account.name}`;
  const old = tooOld(account.figures, account.keeps_days);
  return (
    <section className="card stack" aria-label={called}>
      <div className="row">
        <h2 className="wrap">{called}</h2>
        <Pill tone={health.tone}>{health.label}</Pill>
      </div>
      {advice && <Notice tone="warn">{advice}</Notice>}
      <Figures account={account} />
      {old && <p>{old}</p>}
      <Withheld account={account} />
      {account.figures.refused > 0 && <Refused account={account} api={api} again={again} />}
      <Choices account={account} api={api} changed={changed} />
      <Test account={account} api={api} />
    </section>
  );
}

function Figures({ account: { figures, last_sent_at } }: Pick<Props, "account">) {
  const { quality } = figures;
  return (
    <dl className="conversion-figures">
      <dt>Waiting</dt>
      <dd className="number">{figures.waiting}</dd>
      <dt>Sent in 30 days</dt>
      <dd className="number">{figures.sent}</dd>
      <dt>Last sent</dt>
      <dd>{last_sent_at ? dateTime(last_sent_at) : "Never"}</dd>
      <dt>Sent with an e-mail address</dt>
      <dd className="number">{share(quality.email, quality.sent)}</dd>
      <dt>Sent with a phone number</dt>
      <dd className="number">{share(quality.phone, quality.sent)}</dd>
      <dt>Sent with an ad click</dt>
      <dd className="number">{share(quality.click, quality.sent)}</dd>
    </dl>
  );
}

function Withheld({ account }: Pick<Props, "account">) {
  const { withheld, withheld_why } = account.figures;
  if (!withheld) return <p className="quiet-text">{purposeWords(account)}</p>;
  return (
    <details>
      <summary>Withheld in 30 days: {withheld}</summary>
      <ul>
        {withheld_why.map(({ reason, count }) => (
          <li key={reason}>
            <span className="number">{count}</span>: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Choices({ account, api, changed }: Pick<Props, "account" | "api" | "changed">) {
  const change = useMutation({
    mutationFn: (choice: { shops?: boolean; paused?: boolean }) => api.change(account.connection_id, choice),
    onSuccess: changed,
  });
  return (
    <div className="stack tight">
      <CheckField
        label="Also tell it of orders from linked shops"
        help="Shopify, TikTok Shop and the like. From now on, and only of buyers who agreed."
        checked={account.shops}
        onCheck={(shops) => change.mutate({ shops })}
      />
      <CheckField
        label="Pause"
        help="Nothing is sent and the page loads no script. What happens meanwhile waits."
        checked={account.paused}
        onCheck={(paused) => change.mutate({ paused })}
      />
      <Problem error={change.error} />
    </div>
  );
}

function Test({ account, api }: Pick<Props, "account" | "api">) {
  const test = useMutation({ mutationFn: () => api.test(account.connection_id) });
  return (
    <div className="stack tight">
      <div>
        <button type="button" disabled={test.isPending} onClick={() => test.mutate()}>
          {test.isPending ? "Asking…" : "Send a test event"}
        </button>
      </div>
      {test.data && <Notice tone={test.data.ok ? "good" : "warn"}>{test.data.words}</Notice>}
      <Problem error={test.error} />
    </div>
  );
}
