import type { Credited, CreditedRow, CreditQuestion, FigureScope } from "@simulcast/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { CheckField } from "../parts/check-field";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { Bar } from "./bar";
import { Defined } from "./defined";
import { BY, count, currenciesOf, inCurrency, MODELS, money, NOTHING, parts, partOf, percent, WINDOWS } from "./figure-words";
import { Files } from "./files";
import { FIGURES, useAnalytics, useDefinitions } from "./use-analytics";
import { WindowsTable } from "./windows-table";

/** What each source, target or link brought and cost: model and window switch live. */
export function SourcesCard({ scope }: { scope: FigureScope }) {
  const api = useAnalytics();
  const [how, setHow] = useState({ by: "source", model: "last_non_direct", window: "7d" } as CreditQuestion);
  const [beside, setBeside] = useState(false);
  const [wanted, setWanted] = useState("");
  const question: CreditQuestion = { ...scope, ...how };
  const credited = useQuery({
    queryKey: [...FIGURES, "channels", question],
    queryFn: ({ signal }) => api.channels(question, signal),
    placeholderData: keepPreviousData,
  });
  const currencies = currenciesOf(credited.data?.totals ?? []);
  const currency = currencies.includes(wanted) ? wanted : (currencies[0] ?? "");
  const rows = inCurrency(credited.data?.rows ?? [], currency);
  return (
    <section className="card stack" aria-labelledby="sources" aria-busy={credited.isPlaceholderData}>
      <h2 id="sources">What each channel brought</h2>
      <div className="figure-filters">
        <SelectField
          label="By"
          value={how.by}
          options={BY}
          onChoose={(by) => setHow({ ...how, by: by as CreditQuestion["by"] })}
        />
        <SelectField
          label="Who gets the credit"
          value={how.model}
          options={MODELS}
          onChoose={(model) => setHow({ ...how, model: model as CreditQuestion["model"] })}
        />
        <SelectField
          label="How long a visit counts"
          value={how.window}
          options={WINDOWS}
          onChoose={(window) => setHow({ ...how, window: window as CreditQuestion["window"] })}
        />
        {currencies.length > 1 && (
          <SelectField
            label="Currency"
            value={currency}
            options={currencies.map((one) => ({ value: one, title: one }))}
            onChoose={setWanted}
          />
        )}
      </div>
      <CheckField label="Show all windows side by side" checked={beside} onCheck={setBeside} />
      {credited.error && <Problem error={credited.error} retry={() => void credited.refetch()} />}
      {credited.isPending && <Loading what="channels" />}
      {credited.data?.notes.map((note) => (
        <Notice key={note} tone="warn">
          {note}
        </Notice>
      ))}
      {credited.data && rows.length === 0 && <NoLinks />}
      {credited.data && rows.length > 0 && !beside && <SourceTable found={credited.data} rows={rows} currency={currency} />}
      {beside && rows.length > 0 && <WindowsTable question={question} currency={currency} />}
      {rows.length > 0 && <Files table="channels" of="channels" scope={question} />}
    </section>
  );
}

function NoLinks() {
  const link = (
    <a className="button" {...linkTo(PATHS.links)}>
      Make a link
    </a>
  );
  return (
    <Empty title="No tracked link has been used yet" action={link}>
      Make one under Links and post it on a platform: everybody who comes by it, and what they buy, is counted here.
    </Empty>
  );
}

const COLUMNS = [
  "credited_minor",
  "influenced_minor",
  "credited_orders",
  "visitors",
  "link_cost_minor",
  "return_on_cost",
  "migration_rate",
];

function SourceTable({ found, rows, currency }: { found: Credited; rows: CreditedRow[]; currency: string }) {
  const words = useDefinitions();
  const total = found.totals.find((one) => one.currency === currency);
  return (
    <div className="wide" tabIndex={0} role="region" aria-label="Channels">
      <table className="figures number">
        <thead>
          <tr>
            <th scope="col">{BY.find((one) => one.value === found.by)?.title}</th>
            {COLUMNS.map((key) => (
              <th key={key} scope="col">
                <Defined figure={words.get(key)} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.key} ${row.currency}`}>
              <th scope="row" className="wrap">
                {row.title}
                <Bar part={partOf(row, rows)} />
              </th>
              <td>{money(row.credited_minor, row.currency)}</td>
              <td>{money(row.influenced_minor, row.currency)}</td>
              <td>{parts(row.credited_orders)}</td>
              <td>{count(row.visitors)}</td>
              <td>{row.link_cost_minor ? money(row.link_cost_minor, row.currency) : NOTHING}</td>
              <td>{row.return_on_cost === null ? NOTHING : `${Math.round(row.return_on_cost * 100) / 100} ×`}</td>
              <td>
                {percent(row.migration_rate)}
                {row.social_first > 0 && ` (${row.migrated} of ${row.social_first})`}
              </td>
            </tr>
          ))}
        </tbody>
        {total && (
          <tfoot>
            <tr>
              <th scope="row">All orders</th>
              <td>{money(total.credited_minor, currency)}</td>
              <td>{NOTHING}</td>
              <td>{parts(total.credited_orders)}</td>
              <td>{NOTHING}</td>
              <td>{total.link_cost_minor ? money(total.link_cost_minor, currency) : NOTHING}</td>
              <td>{NOTHING}</td>
              <td>{NOTHING}</td>
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}
