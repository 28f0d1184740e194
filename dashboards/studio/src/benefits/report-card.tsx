import { type BenefitReport, type BuyerGroup, formatMoney, type Given } from "@simulcast/api";
import { groupWords } from "./benefit-words";

const money = (minor: number | null, currency: string | null) =>
  minor === null || !currency ? "–" : formatMoney(minor, currency);
const rate = (value: number | null) => (value === null ? "–" : `${Math.round(value * 1000) / 10} %`);

/** Cost beside gain: each benefit, and those who have them beside those who do not. */
export function ReportCard({ report }: { report: BenefitReport }) {
  return (
    <>
      <section className="card stack" aria-labelledby="given">
        <h2 id="given">What was given, and what came of it</h2>
        {report.given.length ? (
          <GivenTable rows={report.given} />
        ) : (
          <p className="quiet-text">
            No offer was for a group or for members first yet. What one costs and brings will stand here.
          </p>
        )}
      </section>
      <section className="card stack" aria-labelledby="compared">
        <h2 id="compared">Who buys more</h2>
        {report.groups.length ? (
          <GroupTable rows={report.groups} />
        ) : (
          <p className="quiet-text">Nobody whom we know has bought yet.</p>
        )}
        <p className="quiet-text">
          That members buy more need not be due to the benefits: who likes a shop joins it. Revenue is without
          tax, delivery and what was given back.
        </p>
      </section>
    </>
  );
}

function GivenTable({ rows }: { rows: Given[] }) {
  return (
    <div className="wide" tabIndex={0} role="group" aria-labelledby="given">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">Offer</th>
            <th scope="col">For whom</th>
            <th scope="col">Pieces</th>
            <th scope="col">Given away</th>
            <th scope="col">Revenue</th>
            <th scope="col">Margin</th>
            <th scope="col">Bought again in 30 days</th>
            <th scope="col">Joined meanwhile</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.offer_id} ${row.currency ?? ""}`}>
              <th scope="row">{row.title}</th>
              <td>{row.segment}</td>
              <td className="number">{row.units}</td>
              <td className="number">{money(row.given_minor, row.currency)}</td>
              <td className="number">{money(row.net_minor, row.currency)}</td>
              <td className="number">{money(row.margin_minor, row.currency)}</td>
              <td className="number">{`${row.again} of ${row.buyers}`}</td>
              <td className="number">{row.joined}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function GroupTable({ rows }: { rows: BuyerGroup[] }) {
  return (
    <div className="wide" tabIndex={0} role="group" aria-labelledby="compared">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">Buyers</th>
            <th scope="col">How many</th>
            <th scope="col">Bought more than once</th>
            <th scope="col">Revenue each</th>
            <th scope="col">Margin each</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.what} ${row.yes} ${row.currency}`}>
              <th scope="row">
                {groupWords(row)}
                {row.small && <span className="quiet-text"> (few: a hint only)</span>}
              </th>
              <td className="number">{row.buyers}</td>
              <td className="number">{rate(row.repeat_rate)}</td>
              <td className="number">{money(row.net_per_buyer_minor, row.currency)}</td>
              <td className="number">{money(row.margin_per_buyer_minor, row.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
