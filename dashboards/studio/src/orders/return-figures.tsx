import type { ReturnRate } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { share } from "../parts/amounts";
import { Problem } from "../parts/problem";
import { markWords, returnerWords } from "./sale-words";
import { RETURNS, useOrders } from "./use-orders";

/** What comes back of each show and offer, and of whom much comes back. */
export function ReturnFigures() {
  const api = useOrders();
  const rates = useQuery({ queryKey: [...RETURNS, "rates"], queryFn: ({ signal }) => api.rates(signal) });
  const returners = useQuery({
    queryKey: [...RETURNS, "returners"],
    queryFn: ({ signal }) => api.returners(signal),
  });
  const some = rates.data && (rates.data.shows.length > 0 || rates.data.offers.length > 0);
  const error = rates.error ?? returners.error;
  if (error) return <Problem error={error} retry={() => void Promise.all([rates.refetch(), returners.refetch()])} />;
  return (
    <>
      {some && (
        <section className="card stack" aria-labelledby="return-rates">
          <h2 id="return-rates">What comes back</h2>
          <RateTable title="By show" rows={rates.data.shows} />
          <RateTable title="By offer" rows={rates.data.offers} />
        </section>
      )}
      {returners.data?.[0] && (
        <section className="card stack" aria-labelledby="returners">
          <h2 id="returners">Customers who return much</h2>
          <p className="quiet-text">{markWords(returners.data[0])}</p>
          <ul className="lines">
            {returners.data.map((one) => (
              <li key={one.id}>
                <strong className="wrap">{one.name ?? "Guest"}</strong>{" "}
                <span className="quiet-text">{returnerWords(one)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function RateTable({ title, rows }: { title: string; rows: ReturnRate[] }) {
  if (!rows.length) return null;
  return (
    <table className="sales number">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Sold</th>
          <th scope="col">Came back</th>
          <th scope="col">Rate</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <th scope="row">{row.title}</th>
            <td>{row.pieces}</td>
            <td>{row.returned}</td>
            <td>{share(row.returned, row.pieces)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
