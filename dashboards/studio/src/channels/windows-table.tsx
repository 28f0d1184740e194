import type { CreditQuestion } from "@simulcast/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { inCurrency, money, WINDOWS } from "./figure-words";
import { FIGURES, useAnalytics } from "./use-analytics";

/** The same orders under every window: what is credited, and below it what is influenced. */
export function WindowsTable({ question, currency }: { question: CreditQuestion; currency: string }) {
  const api = useAnalytics();
  const ladder = useQuery({
    queryKey: [...FIGURES, "windows", { ...question, window: null }],
    queryFn: ({ signal }) => api.windows(question, signal),
    placeholderData: keepPreviousData,
  });
  if (ladder.error) return <Problem error={ladder.error} retry={() => void ladder.refetch()} />;
  if (!ladder.data) return <Loading what="every window" />;
  return (
    <div className="wide" tabIndex={0} role="region" aria-label="Every window">
      <table className="figures number">
        <caption>Credited, and influenced below it</caption>
        <thead>
          <tr>
            <th scope="col">Came by</th>
            {WINDOWS.map((window) => (
              <th key={window.value} scope="col">
                {window.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {inCurrency(ladder.data.rows, currency).map((row) => (
            <tr key={`${row.key} ${row.currency}`}>
              <th scope="row" className="wrap">
                {row.title}
              </th>
              {WINDOWS.map(({ value }) => (
                <td key={value}>
                  {money(row.credited_minor[value] ?? 0, row.currency)}
                  <span className="quiet-text below">{money(row.influenced_minor[value] ?? 0, row.currency)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
