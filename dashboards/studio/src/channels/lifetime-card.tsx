import type { MigrationRow, Worth } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { platformName } from "../parts/words";
import { Defined } from "./defined";
import { money, percent } from "./figure-words";
import { Files } from "./files";
import { FIGURES, useAnalytics, useDefinitions } from "./use-analytics";

/** What people are worth by the channel that brought them, and who came over from a platform. */
export function LifetimeCard() {
  const api = useAnalytics();
  const found = useQuery({
    queryKey: [...FIGURES, "lifetime"],
    queryFn: ({ signal }) => api.lifetime(signal),
  });
  return (
    <section className="card stack" aria-labelledby="lifetime">
      <h2 id="lifetime">People over time</h2>
      <p className="quiet-text">Of all your shows: a person&apos;s life is not one show&apos;s.</p>
      {found.error && <Problem error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Loading what="people" />}
      {found.data?.worth.length === 0 && (
        <Empty title="Nobody is known yet">
          People appear here with their first order, or when they sign in after coming by a link.
        </Empty>
      )}
      {found.data && found.data.worth.length > 0 && <WorthTable rows={found.data.worth} />}
      {found.data && found.data.migration.length > 0 && <MigrationTable rows={found.data.migration} />}
    </section>
  );
}

const AGES = [30, 90, 180] as const;

function WorthTable({ rows }: { rows: Worth[] }) {
  const words = useDefinitions();
  return (
    <>
      <div className="wide" tabIndex={0} role="region" aria-label="Lifetime value">
        <table className="figures number">
          <thead>
            <tr>
              <th scope="col">
                <Defined figure={words.get("first_channel")} />
              </th>
              <th scope="col">
                <Defined figure={words.get("people")} />
              </th>
              {AGES.map((days) => (
                <th key={days} scope="col">
                  <Defined figure={words.get(`ltv_${days}_minor`)} name={`${days} days`} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.first_channel} ${row.currency}`}>
                <th scope="row" className="wrap">
                  {platformName(row.first_channel)}
                  {row.small && <span className="quiet-text below">Few people: a hint only</span>}
                </th>
                <td>{row.people}</td>
                {AGES.map((days) => (
                  <td key={days}>
                    {money(row[`ltv_${days}_minor`], row.currency)}
                    <span className="quiet-text below">of {row[`people_${days}`]}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Files table="lifetime" of="lifetime value" />
    </>
  );
}

const STEPS = ["social_first", "identified_later", "bought_own_later", "migrated"] as const;

function MigrationTable({ rows }: { rows: MigrationRow[] }) {
  const words = useDefinitions();
  return (
    <>
      <h3>From platforms to your site</h3>
      <div className="wide" tabIndex={0} role="region" aria-label="Migration">
        <table className="figures number">
          <thead>
            <tr>
              <th scope="col">Met by</th>
              {[...STEPS, "migration_rate"].map((key) => (
                <th key={key} scope="col">
                  <Defined figure={words.get(key)} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.channel ?? ""}>
                <th scope="row" className="wrap">
                  {row.channel === null ? "All" : platformName(row.channel)}
                  {row.small && <span className="quiet-text below">Few people: a hint only</span>}
                </th>
                {STEPS.map((key) => (
                  <td key={key}>{row[key]}</td>
                ))}
                <td>{percent(row.migration_rate)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Files table="migration" of="migration" />
    </>
  );
}
