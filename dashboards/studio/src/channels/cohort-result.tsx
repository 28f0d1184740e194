import type { CohortResult, CohortSide } from "@simulcast/api";
import { Notice } from "../parts/notice";
import { Defined } from "./defined";
import { count, money, percent, timesWords } from "./figure-words";
import { useDefinitions } from "./use-analytics";

/** Those who fit beside everybody else. */
export function CohortResultCard({ result }: { result: CohortResult }) {
  const words = useDefinitions();
  const currencies = Object.keys(result.revenue);
  return (
    <div className="stack" role="status">
      {result.notes.map((note) => (
        <Notice key={note} tone="warn">
          {note}
        </Notice>
      ))}
      {result.note && <Notice tone="warn">{result.note}</Notice>}
      <div className="wide" tabIndex={0} role="region" aria-label="Comparison">
        <table className="figures number">
          <thead>
            <tr>
              <th scope="col">Figure</th>
              <th scope="col">Those who fit</th>
              <th scope="col">Everybody else</th>
              <th scope="col">
                <Defined figure={words.get("compared")} name="Compared" />
              </th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">
                <Defined figure={words.get("cohort_people")} />
              </th>
              <td>{count(result.cohort.people)}</td>
              <td>{count(result.others.people)}</td>
              <td />
            </tr>
            <tr>
              <th scope="row">
                <Defined figure={words.get("cohort_conversion")} />
              </th>
              <td>{bought(result.cohort)}</td>
              <td>{bought(result.others)}</td>
              <td className="wrap">{timesWords(result.conversion)}</td>
            </tr>
            {currencies.map((currency) => (
              <tr key={currency}>
                <th scope="row">
                  <Defined figure={words.get("cohort_revenue_minor")} />
                </th>
                <td>{money(result.cohort.revenue_per_person_minor[currency] ?? 0, currency)}</td>
                <td>{money(result.others.revenue_per_person_minor[currency] ?? 0, currency)}</td>
                <td className="wrap">{timesWords(result.revenue[currency])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function bought(side: CohortSide): string {
  return `${percent(side.conversion)} (${side.buyers})`;
}
