import type { FigureScope } from "@simulcast/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { Defined } from "./defined";
import { OFFER_KINDS, percent } from "./figure-words";
import { Files } from "./files";
import { FIGURES, useAnalytics, useDefinitions } from "./use-analytics";

const COLUMNS = ["offer_buyers", "offer_conversion", "offer_retention", "repeat_30", "repeat_90"];

/** The kinds of offers beside one another. */
export function OffersCard({ scope }: { scope: FigureScope }) {
  const api = useAnalytics();
  const words = useDefinitions();
  const offers = useQuery({
    queryKey: [...FIGURES, "offers", scope],
    queryFn: ({ signal }) => api.offers(scope, signal),
    placeholderData: keepPreviousData,
  });
  return (
    <section className="card stack" aria-labelledby="offer-kinds" aria-busy={offers.isPlaceholderData}>
      <h2 id="offer-kinds">Kinds of offers</h2>
      {offers.error && <Problem error={offers.error} retry={() => void offers.refetch()} />}
      {offers.isPending && <Loading what="offers" />}
      {offers.data?.length === 0 && (
        <Empty title="No offer has run yet">Launch one in a show: who buys in it and who comes back is shown here.</Empty>
      )}
      {offers.data && offers.data.length > 0 && (
        <>
          <div className="wide" tabIndex={0} role="region" aria-label="Kinds of offers">
            <table className="figures number">
              <thead>
                <tr>
                  <th scope="col">Kind</th>
                  {COLUMNS.map((key) => (
                    <th key={key} scope="col">
                      <Defined figure={words.get(key)} />
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {offers.data.map((row) => (
                  <tr key={row.kind}>
                    <th scope="row" className="wrap">
                      {OFFER_KINDS[row.kind] ?? row.kind}
                      <span className="quiet-text below">
                        {row.offers} launched{row.small && "; few buyers: a hint only"}
                      </span>
                    </th>
                    <td>{row.offer_buyers}</td>
                    <td>{percent(row.offer_conversion)}</td>
                    <td>{percent(row.offer_retention)}</td>
                    <td>{percent(row.repeat_30)}</td>
                    <td>{percent(row.repeat_90)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <Files table="offers" of="kinds of offers" scope={scope} />
        </>
      )}
    </section>
  );
}
